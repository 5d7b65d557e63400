import { Clone, Default } from 'typebox/value';
import { aclSchema } from './acl/schema.ts';
import { basicAuthSchema } from './basic-auth/schema.ts';
import { requestTerminationSchema } from './request-termination/schema.ts';
import { prometheusSchema } from './prometheus/schema.ts';
import { keyAuthSchema } from './key-auth/schema.ts';
import { corsSchema } from './cors/schema.ts';
import type { CredentialSchema, PluginSchema } from './plugin.ts';

const all: readonly PluginSchema[] = [
  corsSchema,
  keyAuthSchema,
  basicAuthSchema,
  aclSchema,
  prometheusSchema,
  requestTerminationSchema,
];

/** Control side of every plugin, by name. */
export const pluginSchemas: ReadonlyMap<string, PluginSchema> = new Map(all.map((schema) => [schema.name, schema]));

/** The credentials that plugins check, by type. */
export const credentialSchemas: ReadonlyMap<string, CredentialSchema> = new Map(
  all.flatMap(({ credential }) => (credential === undefined ? [] : [[credential.type, credential]])),
);

/** Whether a plugin runs for every caller of what it is attached to, and can be attached to no consumer or group. */
export function runsForAllCallers(schema: PluginSchema | undefined): boolean {
  return schema?.authenticates === true || schema?.isForAllCallers === true;
}

/**
 * A config with its defaults filled in. An explicit null is as good as absent, as in Kong. Nothing is
 * converted: whether the result fits the schema is for `findFaults` to say.
 */
export function withDefaults(schema: PluginSchema, config: unknown): unknown {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return config;
  const stated = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null));
  return Default(schema.config, Clone(stated));
}
