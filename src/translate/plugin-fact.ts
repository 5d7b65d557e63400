import { kindNamed } from '#resources/all-kinds.ts';
import type { KongPlugin } from '#resources/kong-plugin.ts';
import { flatText, refKey, type Ref } from '#resources/ref.ts';
import type { Problem } from '#resources/verdict.ts';
import { pluginOrder, type PluginSchema } from '#plugins/plugin.ts';
import { pluginSchemas } from '#plugins/schemas.ts';
import type { Fact, View } from '#store/view.ts';
import { unsupportedAnnotations } from './annotations.ts';
import { admittedNamespaces } from './consumer-namespaces.ts';
import { pluginConfig, type PluginConfig } from './plugin-config.ts';
import { pluginUsers } from './plugin-users.ts';

/** The key of the entry that a plugin object yields. */
export function pluginKey(ref: Ref): string {
  return flatText('plugin:', refKey(ref));
}

/** Types that a plugin is to run before and after. */
export interface Ordering {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** What those who refer to a plugin want to know of it. */
export type PluginFact =
  | { readonly state: 'absent' }
  /** It exists, and whoever uses it is answered 503. */
  | { readonly state: 'broken'; readonly type?: string }
  | {
      readonly state: 'usable';
      readonly type: string;
      readonly ordering?: Ordering;
    };

/** The plugin of a ref and where it is seen from. */
export interface PluginPlace {
  readonly ref: Ref;
  readonly view: View;
}

function notSupported(field: string, message: string): Problem {
  // Without what it asks for the plugin would run on what it was not given, so it does not run at all.
  return { reason: 'NotSupported', field, message: `${field}: ${message}`, effect: 'plugin not in force' };
}

const ofRequests = new Set(['http', 'https', 'grpc', 'grpcs']);

/** Fields that ask for what Latchkey does not do. */
function fieldProblems({ protocols = [], run_on: runOn, consumerRef }: KongPlugin): Problem[] {
  const problems: Problem[] = [];
  if (protocols.length > 0 && !protocols.some((protocol) => ofRequests.has(protocol))) {
    problems.push(notSupported('protocols', `${protocols.join(', ')} are not served, and the plugin is for no other`));
  }
  if (runOn !== undefined && runOn !== 'first') {
    const message = `run_on: ${runOn} means nothing here, the plugin runs as with first`;
    problems.push({ reason: 'NotSupported', field: 'run_on', message, effect: 'field ignored' });
  }
  if (consumerRef !== undefined) {
    const message = 'is not supported: name the plugin in konghq.com/plugins of that consumer instead';
    problems.push(notSupported('consumerRef', message));
  }
  return problems;
}

/** The ordering that a plugin states, by the one phase that there is. */
function orderingOf({ ordering, disabled }: KongPlugin): Ordering | undefined {
  const before = ordering?.before?.['access'] ?? [];
  const after = ordering?.after?.['access'] ?? [];
  return disabled === true || before.length + after.length === 0 ? undefined : { before, after };
}

/** What is wrong with `ordering` whatever route the plugin is on. */
function orderingProblems(object: KongPlugin): Problem[] {
  return (['before', 'after'] as const).flatMap((side) =>
    Object.entries(object.ordering?.[side] ?? {}).flatMap(([phase, types]) => {
      const field = `ordering.${side}.${phase}`;
      if (phase !== 'access') return [notSupported(field, 'plugins are ordered in the phase access alone')];
      return types.flatMap((type): Problem[] => {
        if ((pluginOrder as readonly string[]).includes(type)) return [];
        const message = `${field}: Latchkey has no plugin ${type}`;
        return [{ reason: 'UnknownPlugin', field, message, effect: 'plugin not in force' }];
      });
    }),
  );
}

/** An ordering among the plugins of a route says nothing of where a consumer's own plugin runs. */
function attachmentProblems(object: KongPlugin, { ref, view }: PluginPlace): Problem[] {
  if (orderingOf(object) === undefined) return [];
  const { consumers, groups, routes } = view.fact(pluginUsers, ref);
  if (routes || !(consumers || groups)) return [];
  return [notSupported('ordering', 'is not supported for a plugin that is attached to consumers or groups alone')];
}

/** What a plugin object comes to, whoever asks. */
export interface ReadPlugin {
  readonly schema: PluginSchema | undefined;
  readonly config: PluginConfig;
  readonly problems: readonly Problem[];
  /** See `PluginEntry`. */
  readonly admits?: readonly string[];
}

const noConfig: PluginConfig = { config: {}, problems: [], isHidden: false };

/** Fields that ask for what Latchkey does not do, and that take nothing away from anybody. */
function ignoredProblems(schema: PluginSchema, { config, problems }: PluginConfig): Problem[] {
  if (problems.length > 0 || schema.ignored === undefined) return [];
  return schema.ignored(config as Parameters<typeof schema.ignored>[0]).map(({ field, message }) => ({
    reason: 'NotSupported',
    field,
    message: `${field}: ${message}`,
    effect: 'field ignored',
  }));
}

/** Reads a plugin object that fits its kind's schema. */
export function readPlugin(object: KongPlugin, place: PluginPlace): ReadPlugin {
  const schema = pluginSchemas.get(object.plugin);
  const callers = admittedNamespaces(object, 'plugin not in force');
  const problems = [
    ...unsupportedAnnotations(object),
    ...callers.problems,
    ...fieldProblems(object),
    ...orderingProblems(object),
    ...attachmentProblems(object, place),
  ];
  if (schema === undefined) {
    const message = `plugin: Latchkey has no plugin ${object.plugin}; it has ${[...pluginSchemas.keys()].join(', ')}`;
    problems.push({ reason: 'UnknownPlugin', field: 'plugin', message, effect: 'plugin not in force' });
    return { schema, config: noConfig, problems };
  }
  const config = pluginConfig(object, schema, place);
  return {
    schema,
    config,
    problems: [...problems, ...config.problems, ...ignoredProblems(schema, config)],
    ...(callers.admits === undefined ? {} : { admits: callers.admits }),
  };
}

/** Whether a plugin runs at all. */
export function isBroken({ schema, problems }: Pick<ReadPlugin, 'schema' | 'problems'>): boolean {
  return schema === undefined || problems.some(({ effect }) => effect === 'plugin not in force');
}

function factOf(ref: Ref, view: View): PluginFact {
  const state = view.stateOf(ref);
  if (state === 'absent') return { state };
  if (state === 'invalid') return { state: 'broken' };
  const object = view.get(kindNamed(ref.kind), ref.namespace, ref.name) as KongPlugin | undefined;
  if (object === undefined) return { state: 'absent' };
  const read = readPlugin(object, { ref, view });
  if (read.schema === undefined) return { state: 'broken' };
  if (isBroken(read)) return { state: 'broken', type: object.plugin };
  const ordering = orderingOf(object);
  return {
    state: 'usable',
    type: object.plugin,
    ...(ordering === undefined ? {} : { ordering }),
  };
}

export const pluginFact: Fact<PluginFact> = { name: 'plugin', compute: factOf };
