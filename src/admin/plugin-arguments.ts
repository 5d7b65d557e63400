import Type, { type TObject } from 'typebox';
import type { KongPlugin } from '#resources/kong-plugin.ts';
import { pluginSchemas, withDefaults } from '#plugins/schemas.ts';
import type { PluginSchema } from '#plugins/plugin.ts';
import { defaultProtocols, type pluginEntity } from './entity.ts';
import { schemaViolation } from './errors.ts';
import { fitting, knownFields, nestFaults, unknownFields } from './field-errors.ts';
import { assertUnchanged, givenFields, whyGiven } from './read-only.ts';
import { argumentsOf, withoutNulls, type AdminRequest } from './request-context.ts';

const reference = Type.Optional(
  Type.Object(
    { id: Type.Optional(Type.String()), name: Type.Optional(Type.String()) },
    { additionalProperties: false },
  ),
);

/** The arguments of a plugin whose config is of this schema. */
function argumentsWith(config: TObject) {
  return Type.Object(
    {
      ...givenFields,
      name: Type.String({ minLength: 1 }),
      enabled: Type.Optional(Type.Boolean()),
      instance_name: Type.Optional(Type.String({ minLength: 1 })),
      config: Type.Optional(config),
      route: reference,
      service: reference,
      consumer: reference,
      protocols: Type.Optional(Type.Array(Type.String())),
      tags: Type.Optional(Type.Array(Type.String())),
    },
    { additionalProperties: false },
  );
}

/** Made once: a schema is compiled when it is first checked against. */
const argumentSchemas = new Map([...pluginSchemas].map(([name, { config }]) => [name, argumentsWith(config)]));

const argumentsSchemaOf = ({ name, config }: PluginSchema): TObject =>
  argumentSchemas.get(name) ?? argumentsWith(config);

const onAnnotation = 'cannot be set here: name the plugin in the annotation konghq.com/plugins of the Service';
const whyUnchanged = {
  ...whyGiven,
  service: onAnnotation,
  consumer: 'value must be null',
  protocols: 'cannot be chosen yet, leave them out',
  tags: 'are not kept on plugins yet, leave them out',
};

/** Of a plugin that is to be made, as far as it cannot be chosen. */
const newEntity = { service: null, consumer: null, protocols: defaultProtocols, tags: null };

export interface PluginFields {
  readonly name: string;
  readonly enabled: boolean;
  readonly instanceName: string | undefined;
  /** As stated, defaults not filled in. */
  readonly config: Record<string, unknown>;
  readonly route: { readonly id?: string; readonly name?: string } | undefined;
}

/** What a write starts from. */
export interface PluginBefore {
  /** The plugin as it is shown; absent for a new one. */
  readonly entity?: ReturnType<typeof pluginEntity>;
  /** The plugin whose fields are kept where none is stated: of a PATCH. */
  readonly kept?: KongPlugin;
}

/** @throws AdminError 400 if there is no such plugin */
function schemaNamed(name: unknown): PluginSchema {
  if (name === undefined || name === null || name === '') throw schemaViolation({ name: 'required field missing' });
  if (typeof name !== 'string') throw schemaViolation({ name: 'expected a string' });
  const schema = pluginSchemas.get(name);
  if (schema !== undefined) return schema;
  throw schemaViolation({ name: `plugin '${name}' not enabled; add it to the 'plugins' configuration property` });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A config on top of what it is already: merged key by key, lists replaced, null the default (kong-facts
 * 3.3). What is no record stays as it is, to be found at fault.
 */
function mergedConfig(stated: unknown, kept: KongPlugin | undefined): unknown {
  if (stated === null) return {};
  if (stated === undefined) return kept?.config ?? {};
  return isRecord(stated) ? { ...kept?.config, ...stated } : stated;
}

/** @throws AdminError 400 naming every field at fault, those of the config with their defaults filled in */
function checkedArguments(schema: PluginSchema, args: Record<string, unknown>, config: unknown) {
  const unknown = isRecord(config) ? unknownFields(schema.config, config) : [];
  const filled = withDefaults(schema, isRecord(config) ? knownFields(schema.config, config) : config);
  const all = { ...args, config: filled };
  const inConfig = unknown.map(({ field, message }) => ({ field: `config.${field}`, message }));
  const checked = fitting(argumentsSchemaOf(schema), all, inConfig);
  const refined = schema.refine?.(filled as never) ?? [];
  if (refined.length > 0) throw schemaViolation(nestFaults(refined, all));
  return checked;
}

/** A field as stated; null is its default, and one that is not stated is what it was. */
function resolved<T>(args: Record<string, unknown>, field: string, values: { kept: T; fallback: T }): T {
  if (!Object.hasOwn(args, field)) return values.kept;
  return (args[field] as T | null) ?? values.fallback;
}

/**
 * Reads the arguments of a plugin.
 *
 * @throws AdminError 400 that names every field at fault
 */
export function readPluginArguments(request: AdminRequest, { entity, kept }: PluginBefore): PluginFields {
  const { name } = { name: kept?.plugin, ...request.body.args };
  const schema = schemaNamed(name);
  const args = argumentsOf(request, argumentsSchemaOf(schema));
  const config = mergedConfig(args['config'], kept);
  const checked = checkedArguments(schema, { ...args, name: schema.name }, config);
  assertUnchanged(args, entity ?? newEntity, whyUnchanged);
  if (entity !== undefined && entity.name !== schema.name) {
    throw schemaViolation({ name: 'cannot be changed: delete the plugin and make another' });
  }
  return {
    name: schema.name,
    enabled: resolved(args, 'enabled', { kept: kept?.disabled !== true, fallback: true }),
    instanceName: resolved(args, 'instance_name', { kept: kept?.instance_name, fallback: undefined }),
    config: isRecord(config) ? withoutNulls(config) : {},
    route: checked['route'] as PluginFields['route'],
  };
}
