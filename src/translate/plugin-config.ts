import { parseDocument } from 'yaml';
import { secretValuesOf, type KongPlugin, type SecretValueRef } from '#resources/kong-plugin.ts';
import { formatRef, type Ref } from '#resources/ref.ts';
import { secret } from '#resources/secret.ts';
import { findFaults } from '#resources/validate.ts';
import type { Problem } from '#resources/verdict.ts';
import type { PluginSchema } from '#plugins/plugin.ts';
import { withDefaults } from '#plugins/schemas.ts';
import type { View } from '#store/view.ts';
import { addAt } from './json-pointer.ts';

/** The config that a plugin runs with, its defaults filled in, or what is wrong with it. */
export interface PluginConfig {
  readonly config: unknown;
  readonly problems: readonly Problem[];
  /** Whether something in it comes from a Secret: then none of it may be shown. */
  readonly isHidden: boolean;
}

type Value = { readonly text: string } | { readonly problem: Problem };

function refuse(reason: 'SecretNotFound' | 'InvalidConfig', field: string, message: string, about?: Ref): Problem {
  return {
    reason,
    field,
    ...(about === undefined ? {} : { about }),
    message: `${field}: ${message}`,
    effect: 'plugin not in force',
  };
}

/** The text behind a reference to a Secret. */
function readValue(from: SecretValueRef, field: string, { ref, view }: PluginPlace): Value {
  const about = { kind: secret.kind, namespace: from.namespace ?? ref.namespace, name: from.name };
  const found = view.get(secret, about.namespace, about.name);
  if (found === undefined) {
    return { problem: refuse('SecretNotFound', field, `there is no ${formatRef(about)}`, about) };
  }
  const sealed = Object.hasOwn(found.sealed ?? {}, from.key) ? found.sealed?.[from.key] : undefined;
  if (sealed?.hidden !== undefined) return { text: sealed.hidden.reveal() };
  const what = sealed?.fault === undefined ? `has no key ${from.key}` : `key ${from.key} ${sealed.fault}`;
  return { problem: refuse('SecretNotFound', field, `${formatRef(about)} ${what}`, about) };
}

/** JSON, or YAML if asked for. What an error says of the text is not passed on: it quotes it. */
function parseValue(text: string, language: 'json' | 'json-or-yaml'): { readonly value: unknown } | undefined {
  try {
    if (language === 'json') return { value: JSON.parse(text) as unknown };
    const document = parseDocument(text, { logLevel: 'silent', schema: 'core' });
    return document.errors.length > 0 ? undefined : { value: document.toJS() as unknown };
  } catch {
    return undefined;
  }
}

const isFields = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

interface PluginPlace {
  readonly ref: Ref;
  readonly view: View;
}

type Stated = { readonly config: unknown } | { readonly problem: Problem };

/** `configFrom`: the Secret holds all of it. */
function wholeConfig(from: SecretValueRef, place: PluginPlace): Stated {
  const field = 'configFrom.secretKeyRef';
  const read = readValue(from, field, place);
  if ('problem' in read) return read;
  const parsed = parseValue(read.text, 'json-or-yaml');
  if (parsed !== undefined && isFields(parsed.value)) return { config: parsed.value };
  return { problem: refuse('InvalidConfig', field, `key ${from.key} of the Secret is not a JSON or YAML object`) };
}

/** `configPatches`, in their order: each adds a value, as raw JSON (kong-facts 4.7). */
function patchedConfig(object: KongPlugin, place: PluginPlace): Stated {
  let config: unknown = structuredClone(object.config ?? {});
  for (const [i, { path, from }] of secretValuesOf(object).patches.entries()) {
    const field = `configPatches[${i}]`;
    const read = readValue(from, `${field}.valueFrom.secretKeyRef`, place);
    if ('problem' in read) return read;
    const parsed = parseValue(read.text, 'json');
    if (parsed === undefined) {
      const message = `key ${from.key} of the Secret is not JSON (text stands in quotes)`;
      return { problem: refuse('InvalidConfig', `${field}.valueFrom.secretKeyRef`, message) };
    }
    const added = addAt(config, path, parsed.value);
    if ('fault' in added) return { problem: refuse('InvalidConfig', `${field}.path`, added.fault) };
    config = added.value;
  }
  return { config };
}

function statedConfig(object: KongPlugin, place: PluginPlace): Stated {
  const { whole, patches } = secretValuesOf(object);
  if (whole !== undefined) return wholeConfig(whole, place);
  return patches.length > 0 ? patchedConfig(object, place) : { config: object.config ?? {} };
}

interface Fault {
  readonly field: string;
  readonly message: string;
}

/** What may be said of a fault in a config that nobody may see: field names and values may be of the Secret. */
function withoutValues(schema: PluginSchema, { field }: Fault): Fault {
  const name = /^config\.(\w+)/.exec(field)?.[1] ?? '';
  return Object.hasOwn(schema.config.properties, name)
    ? { field: `config.${name}`, message: 'does not fit, with what comes from the Secret' }
    : { field: 'config', message: 'does not fit, with what comes from the Secret' };
}

function faultsOf(schema: PluginSchema, config: unknown): Fault[] {
  const faults = findFaults(schema.config, config).map(({ field, message }) => ({
    field: field === '' ? 'config' : `config.${field}`,
    message,
  }));
  return faults.length === 0 ? [...(schema.refine?.(config as never) ?? [])] : faults;
}

/** The config of a plugin: stated, patched from Secrets, with its defaults, and checked. */
export function pluginConfig(object: KongPlugin, schema: PluginSchema, place: PluginPlace): PluginConfig {
  const { whole, patches } = secretValuesOf(object);
  const isHidden = whole !== undefined || patches.length > 0;
  const stated = statedConfig(object, place);
  if ('problem' in stated) return { config: {}, problems: [stated.problem], isHidden };
  const config = withDefaults(schema, stated.config);
  const faults = faultsOf(schema, config);
  const shown = isHidden ? faults.map((fault) => withoutValues(schema, fault)) : faults;
  const problems = new Map(
    shown.map(({ field, message }) => [`${field} ${message}`, refuse('InvalidConfig', field, message)]),
  );
  return { config, problems: [...problems.values()], isHidden };
}
