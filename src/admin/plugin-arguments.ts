import Type, { type TObject } from 'typebox';
import { findFaults } from '#resources/validate.ts';
import type { KongPlugin } from '#resources/kong-plugin.ts';
import { pluginSchemas, withDefaults } from '#plugins/schemas.ts';
import type { PluginSchema } from '#plugins/plugin.ts';
import { schemaViolation } from './errors.ts';
import { nestFaults } from './field-errors.ts';
import { argumentsOf, withoutNulls, type AdminRequest } from './request-context.ts';

const reference = Type.Optional(Type.Object({ id: Type.Optional(Type.String()), name: Type.Optional(Type.String()) }));

/** The arguments of a plugin whose config is of this schema. */
function pluginArguments(config: TObject) {
  return Type.Object(
    {
      name: Type.Optional(Type.String({ minLength: 1 })),
      enabled: Type.Optional(Type.Boolean()),
      instance_name: Type.Optional(Type.String({ minLength: 1 })),
      config: Type.Optional(config),
      route: reference,
      service: reference,
      consumer: reference,
    },
    { additionalProperties: false },
  );
}

export interface PluginFields {
  readonly name: string;
  readonly enabled: boolean;
  readonly instanceName: string | undefined;
  /** As stated, defaults not filled in. */
  readonly config: Record<string, unknown>;
  readonly route: { readonly id?: string; readonly name?: string } | undefined;
}

/** @throws AdminError 400 if there is no such plugin */
function schemaOf(name: unknown): PluginSchema {
  if (name === undefined || name === null) throw schemaViolation({ name: 'required field missing' });
  if (typeof name !== 'string') throw schemaViolation({ name: 'expected a string' });
  const schema = pluginSchemas.get(name);
  if (schema !== undefined) return schema;
  throw schemaViolation({ name: `plugin '${name}' not enabled; add it to the 'plugins' configuration property` });
}

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** A plugin can be attached to a route only; Kong's text for a reference that may not be. */
function assertScope(args: Record<string, unknown>): void {
  for (const field of ['service', 'consumer']) {
    if (args[field] !== undefined && args[field] !== null) throw schemaViolation({ [field]: 'value must be null' });
  }
}

/**
 * Reads the arguments of a plugin, on top of what it is already (for a PATCH): configs are merged key by
 * key, lists replaced, null means the default.
 *
 * @throws AdminError 400 that names every field at fault
 */
export function readPluginArguments(request: AdminRequest, before: KongPlugin | undefined): PluginFields {
  const named = request.body.args['name'] ?? before?.plugin;
  const schema = schemaOf(named === '' ? null : named);
  const args = argumentsOf(request, pluginArguments(schema.config));
  assertScope(args);
  const stated = args['config'];
  const config = { ...before?.config, ...asRecord(stated) };
  const filled = typeof stated === 'object' || stated === undefined ? withDefaults(schema, config) : stated;
  const checked = withoutNulls({ ...args, config: filled });
  const faults = findFaults(pluginArguments(schema.config), checked);
  const refined = faults.length === 0 ? (schema.refine?.(filled as never) ?? []) : [];
  if (faults.length + refined.length > 0) throw schemaViolation(nestFaults([...faults, ...refined]));
  return {
    name: schema.name,
    enabled: (checked['enabled'] as boolean | undefined) ?? before?.disabled !== true,
    instanceName: (checked['instance_name'] as string | undefined) ?? before?.instance_name,
    config: withoutNulls(config),
    route: args['route'] as PluginFields['route'],
  };
}
