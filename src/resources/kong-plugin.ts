import Type from 'typebox';
import { defineKind, type ObjectOf, type Rule } from './kind.ts';

const protocol = Type.Union(['http', 'https', 'grpc', 'grpcs', 'tcp', 'tls', 'udp'].map((name) => Type.Literal(name)));

/** The fields of KongPlugin and KongClusterPlugin; they stand at the top level (kong-facts 4.1). */
function pluginFields(secretKeyRef: ReturnType<typeof Type.Object>) {
  const valueFrom = Type.Object({ secretKeyRef });
  return Type.Object(
    {
      plugin: Type.String({ minLength: 1, description: 'Type of the plugin, such as key-auth.' }),
      config: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      configFrom: Type.Optional(valueFrom),
      configPatches: Type.Optional(Type.Array(Type.Object({ path: Type.String(), valueFrom }))),
      disabled: Type.Optional(Type.Boolean({ description: 'A disabled plugin is as if it were not attached.' })),
      protocols: Type.Optional(Type.Array(protocol)),
      run_on: Type.Optional(Type.Union([Type.Literal('first'), Type.Literal('second'), Type.Literal('all')])),
      ordering: Type.Optional(Type.Unknown()),
      instance_name: Type.Optional(Type.String()),
      consumerRef: Type.Optional(Type.String()),
      status: Type.Optional(Type.Unknown()),
    },
    { additionalProperties: false },
  );
}

type PluginFields = { config?: unknown; configFrom?: unknown; configPatches?: unknown };

const rules: readonly Rule<PluginFields>[] = [
  {
    message: 'Using both config and configFrom fields is not allowed.',
    field: 'configFrom',
    holds: (plugin) => plugin.config === undefined || plugin.configFrom === undefined,
  },
  {
    message: 'Using both configFrom and configPatches fields is not allowed.',
    field: 'configPatches',
    holds: (plugin) => plugin.configFrom === undefined || plugin.configPatches === undefined,
  },
];

export const kongPlugin = defineKind({
  kind: 'KongPlugin',
  group: 'configuration.konghq.com',
  version: 'v1',
  plural: 'kongplugins',
  scope: 'Namespaced',
  status: 'conditions',
  adminVerbs: ['create', 'patch', 'delete'],
  fields: pluginFields(Type.Object({ name: Type.String(), key: Type.String() })),
  rules,
});

/** Attached by name from any namespace, or to everything with the label `global: "true"`. */
export const kongClusterPlugin = defineKind({
  kind: 'KongClusterPlugin',
  group: 'configuration.konghq.com',
  version: 'v1',
  plural: 'kongclusterplugins',
  scope: 'Cluster',
  status: 'conditions',
  fields: pluginFields(Type.Object({ name: Type.String(), key: Type.String(), namespace: Type.String() })),
  rules,
});

/** Label of a KongClusterPlugin that applies to every route. */
export const globalLabel = 'global';

export type KongPlugin = ObjectOf<typeof kongPlugin>;
export type KongClusterPlugin = ObjectOf<typeof kongClusterPlugin>;
