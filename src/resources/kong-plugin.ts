import Type from 'typebox';
import { ageColumn, categories, programmedColumn } from './kong-columns.ts';
import { defineKind, type CrdDetails, type ObjectOf, type Rule } from './kind.ts';

const protocol = Type.Union(['http', 'https', 'grpc', 'grpcs', 'tcp', 'tls', 'udp'].map((name) => Type.Literal(name)));

const phases = (description: string) =>
  Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()), { description }));

/** The fields of KongPlugin and KongClusterPlugin; they stand at the top level (kong-facts 4.1). */
function pluginFields(secretKeyRef: ReturnType<typeof Type.Object>) {
  const valueFrom = (description: string) => Type.Object({ secretKeyRef }, { description });
  return Type.Object(
    {
      plugin: Type.String({ description: 'Type of the plugin, such as key-auth. It cannot be changed.' }),
      config: Type.Optional(
        Type.Record(Type.String(), Type.Unknown(), {
          description: 'Configuration of the plugin, with the fields that its type has.',
        }),
      ),
      configFrom: Type.Optional(valueFrom('A Secret that holds the whole configuration, instead of `config`.')),
      configPatches: Type.Optional(
        Type.Array(
          Type.Object({
            path: Type.String({ description: 'JSON pointer (RFC 6901) to where the value goes.' }),
            valueFrom: valueFrom('Where the value comes from.'),
          }),
          { description: 'Values from Secrets that are added to `config`, in this order.' },
        ),
      ),
      disabled: Type.Optional(Type.Boolean({ description: 'A disabled plugin is as if it were not attached.' })),
      protocols: Type.Optional(
        Type.Array(protocol, { description: 'Protocols of the requests that the plugin runs on.' }),
      ),
      run_on: Type.Optional(
        Type.Union([Type.Literal('first'), Type.Literal('second'), Type.Literal('all')], {
          description: 'Node of a service mesh that the plugin runs on. Only `first` means something.',
        }),
      ),
      ordering: Type.Optional(
        Type.Object(
          {
            before: phases('Plugins, by phase, that this one runs before.'),
            after: phases('Plugins, by phase, that this one runs after.'),
          },
          { description: 'Another order than the one that plugins run in by themselves.' },
        ),
      ),
      instance_name: Type.Optional(
        Type.String({ description: 'A name for this use of the plugin; it changes nothing.' }),
      ),
      consumerRef: Type.Optional(Type.String({ description: 'The only consumer that the plugin runs for.' })),
      status: Type.Optional(Type.Unknown()),
    },
    { additionalProperties: false },
  );
}

const secretName = Type.String({ description: 'Name of the Secret.' });
const secretKey = Type.String({ description: 'Key of its data.' });

type PluginFields = { config?: unknown; configFrom?: unknown; configPatches?: unknown };

const rules: readonly Rule<PluginFields>[] = [
  {
    message: 'Using both config and configFrom fields is not allowed.',
    field: 'configFrom',
    cel: '!has(self.config) || !has(self.configFrom)',
    holds: (plugin) => plugin.config === undefined || plugin.configFrom === undefined,
  },
  {
    message: 'Using both configFrom and configPatches fields is not allowed.',
    field: 'configPatches',
    cel: '!has(self.configFrom) || !has(self.configPatches)',
    holds: (plugin) => plugin.configFrom === undefined || plugin.configPatches === undefined,
  },
];

const crd = {
  categories,
  printerColumns: [
    { name: 'Plugin-Type', type: 'string', jsonPath: '.plugin', description: 'Name of the plugin' },
    ageColumn,
    {
      name: 'Disabled',
      type: 'boolean',
      jsonPath: '.disabled',
      description: 'Indicates if the plugin is disabled',
      priority: 1,
    },
    { name: 'Config', type: 'string', jsonPath: '.config', description: 'Configuration of the plugin', priority: 1 },
    programmedColumn,
  ],
  transitions: [{ message: 'The plugin field is immutable', field: 'plugin', cel: 'self.plugin == oldSelf.plugin' }],
  pendingDefault: 'conditions',
} as const satisfies Partial<CrdDetails>;

export const kongPlugin = defineKind({
  kind: 'KongPlugin',
  group: 'configuration.konghq.com',
  version: 'v1',
  plural: 'kongplugins',
  scope: 'Namespaced',
  status: 'conditions',
  adminVerbs: ['create', 'patch', 'delete'],
  crd: {
    ...crd,
    description:
      'What happens to requests on their way. It is attached by the annotation `konghq.com/plugins` of an Ingress or a Service of the same namespace.',
    singular: 'kongplugin',
    listKind: 'KongPluginList',
    shortNames: ['kp'],
  },
  fields: pluginFields(
    Type.Object(
      { name: secretName, key: secretKey },
      { description: 'A value of a Secret in the namespace of the plugin.' },
    ),
  ),
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
  crd: {
    ...crd,
    description:
      'A plugin for every namespace: attached by the annotation `konghq.com/plugins` where no KongPlugin has that name, or to every route by the label `global: "true"`.',
    singular: 'kongclusterplugin',
    listKind: 'KongClusterPluginList',
    shortNames: ['kcp'],
  },
  fields: pluginFields(
    Type.Object(
      { name: secretName, key: secretKey, namespace: Type.String({ description: 'Namespace of the Secret.' }) },
      { description: 'A value of a Secret.' },
    ),
  ),
  rules,
});

/** Label of a KongClusterPlugin that applies to every route. */
export const globalLabel = 'global';

/** A value that a plugin takes from a Secret; without a namespace it is in that of the plugin. */
export interface SecretValueRef {
  readonly name: string;
  readonly key: string;
  readonly namespace?: string;
}

interface SecretUser {
  readonly configFrom?: unknown;
  readonly configPatches?: unknown;
}

/** Where the config of a plugin that fits its schema comes from, besides its `config`. */
export function secretValuesOf(plugin: SecretUser): {
  readonly whole?: SecretValueRef;
  readonly patches: readonly { readonly path: string; readonly from: SecretValueRef }[];
} {
  type From = { readonly secretKeyRef: SecretValueRef };
  const whole = (plugin.configFrom as From | undefined)?.secretKeyRef;
  const patches = (plugin.configPatches ?? []) as readonly { readonly path: string; readonly valueFrom: From }[];
  return {
    ...(whole === undefined ? {} : { whole }),
    patches: patches.map(({ path, valueFrom }) => ({ path, from: valueFrom.secretKeyRef })),
  };
}

/** namespace/name of the Secrets that a plugin takes values from; `own` is its own namespace. */
export function secretsOf(plugin: SecretUser, own: string): string[] {
  const { whole, patches } = secretValuesOf(plugin);
  const all = [...(whole === undefined ? [] : [whole]), ...patches.map(({ from }) => from)];
  return all.map(({ namespace = own, name }) => `${namespace}/${name}`);
}

export type KongPlugin = ObjectOf<typeof kongPlugin>;
export type KongClusterPlugin = ObjectOf<typeof kongClusterPlugin>;
