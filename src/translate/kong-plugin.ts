import { globalLabel, kongPlugin, type KongClusterPlugin, type KongPlugin } from '#resources/kong-plugin.ts';
import type { Problem } from '#resources/verdict.ts';
import { globalPlugins } from '#store/indexes.ts';
import type { ConsumerIdentity } from '#table/consumer-identity.ts';
import type { PluginEntry } from '#table/plugin-entry.ts';
import { Redacted } from '#table/redacted.ts';
import { findConsumer } from './find-consumer.ts';
import { olderGlobals } from './global-plugins.ts';
import { foreignClass } from './ingress-class.ts';
import { isBroken, pluginKey, readPlugin, type ReadPlugin } from './plugin-fact.ts';
import type { ClaimedEntry, Context, RootKind, Translation } from './translation.ts';

/** Both kinds have the same fields. */
type AnyPlugin = KongPlugin;

interface ConsumersFound {
  readonly consumers: Readonly<Record<string, ConsumerIdentity>>;
  readonly problems: readonly Problem[];
}

function consumersOf({ schema, config, problems: before }: ReadPlugin, context: Context): ConsumersFound {
  const consumers: Record<string, ConsumerIdentity> = {};
  const problems: Problem[] = [];
  if (schema === undefined || isBroken({ schema, problems: before })) return { consumers, problems };
  for (const name of schema.consumersOf?.(config.config as never) ?? []) {
    const found = findConsumer(name, context);
    if (found !== undefined) consumers[name] = found;
    else {
      const shown = config.isHidden ? 'that a Secret names' : name;
      const message = `config.anonymous: there is no consumer with the username or id ${shown}`;
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

/** A plugin of one namespace applies to no other, whatever its labels say (kong-facts 4.7). */
function labelProblems(object: AnyPlugin, { ref }: Context): Problem[] {
  if (ref.kind !== kongPlugin.kind || object.metadata.labels?.[globalLabel] !== 'true') return [];
  const field = `metadata.labels["${globalLabel}"]`;
  const message = `${field}: a KongPlugin cannot be global, only a KongClusterPlugin can`;
  return [{ reason: 'InvalidObject', field, message, effect: 'field ignored' }];
}

/** Values from Secrets make the whole config one that nobody may see: only a worker opens it. */
function configOf({ config, isHidden }: ReadPlugin['config']): Pick<PluginEntry, 'config' | 'hiddenConfig'> {
  return isHidden ? { config: {}, hiddenConfig: new Redacted(JSON.stringify(config)) } : { config };
}

function entryOf(object: AnyPlugin, context: Context, read: ReadPlugin, found: ConsumersFound): PluginEntry {
  const fatal = read.problems.find((problem) => problem.effect === 'plugin not in force');
  return {
    kind: 'plugin',
    key: pluginKey(context.ref),
    type: object.plugin,
    isEnabled: object.disabled !== true,
    ...(isBroken(read) ? { config: {} } : configOf(read.config)),
    consumers: found.consumers,
    ...(read.admits === undefined ? {} : { admits: read.admits }),
    ...(isBroken(read) ? { broken: fatal?.message ?? 'unknown plugin' } : {}),
  };
}

function translatePlugin(object: AnyPlugin, context: Context): Translation {
  const read = readPlugin(object, context);
  const found = consumersOf(read, context);
  const problems = [
    ...labelProblems(object, context),
    ...read.problems,
    ...found.problems,
    ...globalDuplicate(object, context),
  ];
  return { entries: [{ entry: entryOf(object, context, read, found), claims: [] }], problems };
}

/** Keeps a plugin that fails its schema present as a broken one, so that whoever uses it is answered 503. */
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
