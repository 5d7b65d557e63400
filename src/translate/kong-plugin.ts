import { findFaults } from '#resources/validate.ts';
import { kongClusterPlugin, type KongClusterPlugin, type KongPlugin } from '#resources/kong-plugin.ts';
import { kindNamed } from '#resources/all-kinds.ts';
import { refKey, type Ref } from '#resources/ref.ts';
import type { Problem } from '#resources/verdict.ts';
import { pluginSchemas, withDefaults } from '#plugins/schemas.ts';
import type { PluginSchema } from '#plugins/plugin.ts';
import { globalPlugins } from '#store/indexes.ts';
import type { Fact } from '#store/view.ts';
import type { ConsumerIdentity } from '#table/consumer-identity.ts';
import type { PluginEntry } from '#table/plugin-entry.ts';
import { unsupportedAnnotations } from './annotations.ts';
import { findConsumer } from './find-consumer.ts';
import { foreignClass } from './ingress-class.ts';
import { rankOf } from './rank.ts';
import type { ClaimedEntry, Context, RootKind, Translation } from './translation.ts';

/** Both kinds have the same fields. */
type AnyPlugin = KongPlugin;

/** The key of the entry that a plugin object yields. */
export function pluginKey(ref: Ref): string {
  return `plugin:${refKey(ref)}`;
}

const fieldsNotSupported = ['configFrom', 'configPatches', 'consumerRef', 'ordering', 'protocols', 'run_on'] as const;

/** Whether a field asks for what happens anyway: requests are http, and nothing but the first run exists. */
function isHarmless(field: (typeof fieldsNotSupported)[number], value: unknown): boolean {
  if (field === 'run_on') return value === 'first';
  return field === 'protocols' && Array.isArray(value) && (value.length === 0 || value.includes('http'));
}

function unsupportedFields(object: AnyPlugin): Problem[] {
  return fieldsNotSupported
    .filter((field) => object[field] !== undefined && !isHarmless(field, object[field]))
    .map((field) => ({
      reason: 'NotSupported',
      field,
      message: `${field}: is not supported yet`,
      // Without them the plugin would run on what it has not been given, so it does not run at all.
      effect: 'plugin not in force',
    }));
}

/** What is wrong with a config once its defaults are filled in. */
function configProblems(schema: PluginSchema, stated: unknown): Problem[] {
  const config = withDefaults(schema, stated);
  const faults = findFaults(schema.config, config);
  const refined = faults.length === 0 ? (schema.refine?.(config as never) ?? []) : [];
  const named = [
    ...faults.map(({ field, message }) => ({ field: field === '' ? 'config' : `config.${field}`, message })),
    ...refined,
  ];
  return named.map(({ field, message }) => ({
    reason: 'InvalidConfig',
    field,
    message: `${field}: ${message}`,
    effect: 'plugin not in force',
  }));
}

interface ConsumersFound {
  readonly consumers: Readonly<Record<string, ConsumerIdentity>>;
  readonly problems: readonly Problem[];
}

function consumersOf(schema: PluginSchema, config: unknown, context: Context): ConsumersFound {
  const consumers: Record<string, ConsumerIdentity> = {};
  const problems: Problem[] = [];
  for (const name of schema.consumersOf?.(config as never) ?? []) {
    const found = findConsumer(name, context);
    if (found !== undefined) consumers[name] = found;
    else {
      const message = `config.anonymous: there is no consumer with the username or id ${name}`;
      problems.push({
        reason: 'AnonymousConsumerNotFound',
        field: 'config.anonymous',
        message,
        effect: 'anonymous requests answer 500',
      });
    }
  }
  return { consumers, problems };
}

/** Of two global plugins of one type the older is in force; Kong drops both (kong-facts 4.7). */
function globalDuplicate(object: AnyPlugin, context: Context): Problem[] {
  const others = context.view.lookup(globalPlugins, '');
  if (!others.some((other) => other.metadata.name === context.ref.name) || context.ref.kind !== 'KongClusterPlugin')
    return [];
  const older = olderGlobals(others, context).find((other) => other.plugin === object.plugin);
  if (older === undefined || older.metadata.name === context.ref.name) return [];
  const about = { kind: 'KongClusterPlugin', namespace: '', name: older.metadata.name };
  const message = `plugin: the older KongClusterPlugin ${older.metadata.name} is already the global ${object.plugin}`;
  return [{ reason: 'DuplicatePlugin', field: 'plugin', about, message, effect: 'object not in force' }];
}

/** The global plugins of our class, the oldest first. */
export function olderGlobals(plugins: readonly KongClusterPlugin[], context: Context): KongClusterPlugin[] {
  const refTo = (plugin: KongClusterPlugin): Ref => ({
    kind: 'KongClusterPlugin',
    namespace: '',
    name: plugin.metadata.name,
  });
  return plugins
    .filter((plugin) => foreignClass(plugin, context, undefined) === undefined)
    .map((plugin) => ({ plugin, rank: rankOf(refTo(plugin), plugin) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ plugin }) => plugin);
}

function entryOf(
  object: AnyPlugin,
  context: Context,
  problems: readonly Problem[],
  found: ConsumersFound,
): PluginEntry {
  const schema = pluginSchemas.get(object.plugin);
  const fatal = problems.find((problem) => problem.effect === 'plugin not in force');
  const isBroken = fatal !== undefined || schema === undefined;
  return {
    kind: 'plugin',
    key: pluginKey(context.ref),
    type: object.plugin,
    isEnabled: object.disabled !== true,
    config: isBroken ? {} : withDefaults(schema, object.config ?? {}),
    consumers: found.consumers,
    ...(isBroken ? { broken: fatal?.message ?? 'unknown plugin' } : {}),
  };
}

function translatePlugin(object: AnyPlugin, context: Context): Translation {
  const schema = pluginSchemas.get(object.plugin);
  const problems: Problem[] = [...unsupportedAnnotations(object), ...unsupportedFields(object)];
  let found: ConsumersFound = { consumers: {}, problems: [] };
  if (schema === undefined) {
    const message = `plugin: Latchkey has no plugin ${object.plugin}; it has ${[...pluginSchemas.keys()].join(', ')}`;
    problems.push({ reason: 'UnknownPlugin', field: 'plugin', message, effect: 'plugin not in force' });
  } else {
    const config = configProblems(schema, object.config ?? {});
    problems.push(...config);
    if (config.length === 0) found = consumersOf(schema, withDefaults(schema, object.config ?? {}), context);
  }
  problems.push(...found.problems, ...globalDuplicate(object, context));
  return { entries: [{ entry: entryOf(object, context, problems, found), claims: [] }], problems };
}

/** Keeps a plugin that fails its schema present as a broken one, so that its routes answer 503. */
function brokenEntry(object: KubernetesLike, { ref }: Context): readonly ClaimedEntry[] {
  const type = typeof object['plugin'] === 'string' ? object['plugin'] : '';
  const entry: PluginEntry = {
    kind: 'plugin',
    key: pluginKey(ref),
    type,
    isEnabled: true,
    config: {},
    consumers: {},
    broken: 'the plugin fails its schema',
  };
  return [{ entry, claims: [] }];
}

type KubernetesLike = Readonly<Record<string, unknown>>;

export const kongPluginRoot: RootKind<KongPlugin> = { translate: translatePlugin, translateInvalid: brokenEntry };

export const kongClusterPluginRoot: RootKind<KongClusterPlugin> = {
  translate(object, context) {
    const foreign = foreignClass(object, context, undefined);
    return foreign === undefined ? translatePlugin(object, context) : { entries: [], problems: [], notOurs: foreign };
  },
  translateInvalid: brokenEntry,
};

/** What those who refer to a plugin want to know of it. */
export type PluginFact =
  | { readonly state: 'absent' }
  /** It exists, and routes that use it answer 503. */
  | { readonly state: 'broken'; readonly type?: string }
  | { readonly state: 'usable'; readonly type: string };

export const pluginFact: Fact<PluginFact> = {
  name: 'plugin',
  compute(ref, view) {
    const state = view.stateOf(ref);
    if (state === 'absent') return { state };
    if (state === 'invalid') return { state: 'broken' };
    const object = view.get(kindNamed(ref.kind), ref.namespace, ref.name) as AnyPlugin | undefined;
    if (object === undefined) return { state: 'absent' };
    const schema = pluginSchemas.get(object.plugin);
    if (schema === undefined) return { state: 'broken' };
    const isUsable = unsupportedFields(object).length === 0 && configProblems(schema, object.config ?? {}).length === 0;
    return { state: isUsable ? 'usable' : 'broken', type: object.plugin };
  },
};

/** Whether a KongClusterPlugin is of our class; one of another class counts as absent (kong-facts 4.4). */
export function isOurClusterPlugin(name: string, context: Context): boolean {
  const object = context.view.get(kongClusterPlugin, '', name);
  return object === undefined || foreignClass(object, context, undefined) === undefined;
}
