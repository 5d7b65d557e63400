import { pluginsAnnotation } from '#resources/annotations.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import type { Problem } from '#resources/verdict.ts';
import { pluginOrder } from '#plugins/plugin.ts';
import { globalPlugins } from '#store/indexes.ts';
import type { PluginCandidate, PluginScope, PluginSlot } from '#table/route-entry.ts';
import { annotationField } from './annotations.ts';
import { isOurClusterPlugin, olderGlobals, pluginFact, pluginKey } from './kong-plugin.ts';
import type { Context } from './translation.ts';

/** Plugins of a route in the order they run: see `RouteEntry.plugins`. */
export interface PluginChain {
  readonly plugins: readonly PluginSlot[];
  readonly problems: readonly Problem[];
}

interface Reference {
  readonly key: string;
  /** Absent for a plugin that cannot be known: it stands alone and its route answers 503. */
  readonly type?: string;
}

const field = annotationField(pluginsAnnotation);

/** What the annotation names: the KongPlugin of the namespace, else the KongClusterPlugin of that name. */
function resolve(
  name: string,
  context: Context,
): { readonly ref: Ref; readonly fact: ReturnType<typeof pluginFact.compute> } {
  const inNamespace = { kind: 'KongPlugin', namespace: context.ref.namespace, name };
  const fact = context.view.fact(pluginFact, inNamespace);
  if (fact.state !== 'absent') return { ref: inNamespace, fact };
  const inCluster = { kind: 'KongClusterPlugin', namespace: '', name };
  if (!isOurClusterPlugin(name, context)) return { ref: inNamespace, fact };
  const clusterFact = context.view.fact(pluginFact, inCluster);
  return clusterFact.state === 'absent' ? { ref: inNamespace, fact } : { ref: inCluster, fact: clusterFact };
}

function resolveItem(item: string, context: Context, problems: Problem[]): Reference {
  if (item.includes(':')) {
    const message = `${field}: ${item}: a plugin of another namespace is not supported yet`;
    problems.push({ reason: 'NotSupported', field, message, effect: 'route answers 503' });
    return { key: `plugin:unsupported/${item}` };
  }
  const { ref, fact } = resolve(item, context);
  if (fact.state === 'absent') {
    const message = `${field}: there is no KongPlugin ${refKeyless(ref)} and no KongClusterPlugin ${item}`;
    problems.push({ reason: 'PluginNotFound', field, about: ref, message, effect: 'route answers 503' });
  } else if (fact.state === 'broken') {
    const message = `${field}: ${formatRef(ref)} is not in force, see its own status`;
    problems.push({ reason: 'PluginNotInForce', field, about: ref, message, effect: 'route answers 503' });
  }
  const type = fact.state === 'absent' ? undefined : fact.type;
  return { key: pluginKey(ref), ...(type === undefined ? {} : { type }) };
}

const refKeyless = (ref: Ref): string => refKey(ref).slice(ref.kind.length + 1);

/** The plugins that one object names, of each type only the first. */
function namedBy(object: KubernetesObject, context: Context, problems: Problem[]): Reference[] {
  const items = (object.metadata.annotations?.[pluginsAnnotation] ?? '').split(',').map((item) => item.trim());
  const seen = new Map<string, string>();
  return items
    .filter((item) => item !== '')
    .flatMap((item) => {
      const reference = resolveItem(item, context, problems);
      const earlier = reference.type === undefined ? undefined : seen.get(reference.type);
      if (reference.type === undefined || earlier === undefined) {
        if (reference.type !== undefined) seen.set(reference.type, item);
        return [reference];
      }
      if (earlier === item) return [];
      const message = `${field}: ${item} is of the same type as ${earlier}, which is named first and in force`;
      problems.push({ reason: 'DuplicatePlugin', field, message, effect: 'field ignored' });
      return [];
    });
}

function globals(context: Context, problems: Problem[]): Reference[] {
  return olderGlobals(context.view.lookup(globalPlugins, ''), context).map((plugin) => {
    const ref = { kind: 'KongClusterPlugin', namespace: '', name: plugin.metadata.name };
    const fact = context.view.fact(pluginFact, ref);
    if (fact.state === 'broken') {
      const message = `the global ${formatRef(ref)} is not in force, see its own status`;
      problems.push({ reason: 'PluginNotInForce', about: ref, message, effect: 'route answers 503' });
    }
    const type = fact.state === 'absent' ? undefined : fact.type;
    return { key: pluginKey(ref), ...(type === undefined ? {} : { type }) };
  });
}

/** What comes first in the chain; what is not known stands before everything, as it only answers 503. */
function place(type: string): number {
  return (pluginOrder as readonly string[]).indexOf(type);
}

/**
 * The plugins of a route, of each type those attached to the Ingress, then to the Service, then to
 * everything: the first that is enabled runs (kong-facts 2.8). What cannot be resolved stays in the chain,
 * where it answers 503: a broken reference never opens a route.
 */
export function pluginChain(
  ingress: KubernetesObject,
  service: KubernetesObject | undefined,
  context: Context,
): PluginChain {
  const problems: Problem[] = [];
  const levels: readonly (readonly [PluginScope, readonly Reference[]])[] = [
    ['route', namedBy(ingress, context, problems)],
    ['service', service === undefined ? [] : namedBy(service, context, problems)],
    ['global', globals(context, problems)],
  ];
  const unknown: PluginSlot[] = [];
  const byType = new Map<string, PluginCandidate[]>();
  for (const [scope, references] of levels) {
    for (const { key, type } of references) {
      if (type === undefined) unknown.push({ candidates: [{ key, scope }] });
      else byType.set(type, [...(byType.get(type) ?? []), { key, scope }]);
    }
  }
  const ordered = [...byType].sort(([a], [b]) => place(a) - place(b));
  return { plugins: [...unknown, ...ordered.map(([type, candidates]) => ({ type, candidates }))], problems };
}
