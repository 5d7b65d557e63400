import { pluginsAnnotation } from '#resources/annotations.ts';
import { refOf, type KubernetesObject } from '#resources/kind.ts';
import { formatRef, type Ref } from '#resources/ref.ts';
import { service as serviceKind } from '#resources/service.ts';
import type { Problem } from '#resources/verdict.ts';
import { globalPlugins } from '#store/indexes.ts';
import type { PluginCandidate, PluginScope, PluginSlot } from '#table/route-entry.ts';
import { annotationField } from './annotations.ts';
import { olderGlobals } from './global-plugins.ts';
import { pluginFact, pluginKey, type Ordering } from './plugin-fact.ts';
import { orderTypes } from './plugin-order.ts';
import { attachedPlugins, type AttachedPlugin } from './plugin-references.ts';
import type { Context } from './translation.ts';

/** Plugins of a route in the order they run: see `RouteEntry.plugins`. */
export interface PluginChain {
  readonly plugins: readonly PluginSlot[];
  readonly problems: readonly Problem[];
}

const field = annotationField(pluginsAnnotation);

/** What stands wrong on the Service closes the route, so that the Ingress is told of it as well. */
function ofService(service: KubernetesObject, { view }: Context, problems: Problem[]): readonly AttachedPlugin[] {
  const ref = refOf(serviceKind, service);
  const found = attachedPlugins({ ref, object: service, view, effect: 'route answers 503' });
  for (const { field: _, message, effect, ...problem } of found.problems) {
    // What takes nothing away is for the Service alone to hear.
    if (effect === 'route answers 503') {
      problems.push({ ...problem, message: `${formatRef(ref)}: ${message}`, effect });
    }
  }
  return found.plugins;
}

function globals(context: Context, problems: Problem[]): AttachedPlugin[] {
  return olderGlobals(context.view.lookup(globalPlugins, ''), context).map((plugin) => {
    const ref: Ref = { kind: 'KongClusterPlugin', namespace: '', name: plugin.metadata.name };
    const fact = context.view.fact(pluginFact, ref);
    if (fact.state === 'broken') {
      const message = `the global ${formatRef(ref)} is not in force, see its own status`;
      problems.push({ reason: 'PluginNotInForce', about: ref, message, effect: 'route answers 503' });
    }
    const key = pluginKey(ref);
    if (fact.state === 'absent' || fact.type === undefined) return { key };
    const ordering = fact.state === 'usable' ? fact.ordering : undefined;
    return { key, type: fact.type, ...(ordering === undefined ? {} : { ordering }) };
  });
}

interface TypeOfPlugin {
  readonly candidates: PluginCandidate[];
  readonly orderings: Ordering[];
}

/** The slots of known types in the order they run; one that closes the route when there is no such order. */
function ordered(byType: ReadonlyMap<string, TypeOfPlugin>, problems: Problem[]): PluginSlot[] {
  const order = orderTypes(new Map([...byType].map(([type, { orderings }]) => [type, orderings])));
  if ('types' in order) {
    // Copies: what grew keeps room for sixteen more.
    return order.types.map((type) => ({ type, candidates: byType.get(type)?.candidates.slice() ?? [] }));
  }
  const [one, other] = order.cycle;
  const message = `${field}: by the ordering of its plugins ${one} is to run before ${other} and after it`;
  problems.push({ reason: 'OrderingCycle', field, message, effect: 'route answers 503' });
  return [{ candidates: [{ key: 'plugin:unavailable/ordering', scope: 'route' }] }];
}

/**
 * The plugins of a route, of each type those attached to the Ingress, then to the Service, then to
 * everything: which of them runs for a caller is for the gateway to say (kong-facts 2.8). What cannot be
 * resolved stays in the chain, where it answers 503: a broken reference never opens a route.
 */
export function pluginChain(
  ingress: KubernetesObject,
  service: KubernetesObject | undefined,
  context: Context,
): PluginChain {
  const problems: Problem[] = [];
  const { ref, view } = context;
  const ofIngress = attachedPlugins({ ref, object: ingress, view, effect: 'route answers 503' });
  problems.push(...ofIngress.problems);
  const levels: readonly (readonly [PluginScope, readonly AttachedPlugin[]])[] = [
    ['route', ofIngress.plugins],
    ['service', service === undefined ? [] : ofService(service, context, problems)],
    ['global', globals(context, problems)],
  ];
  const unknown: PluginSlot[] = [];
  const byType = new Map<string, TypeOfPlugin>();
  for (const [scope, plugins] of levels) {
    for (const { key, type, ordering, narrowedTo } of plugins) {
      if (type === undefined) {
        unknown.push({ candidates: [{ key, scope }] });
        continue;
      }
      const ofType = byType.get(type) ?? { candidates: [], orderings: [] };
      byType.set(type, ofType);
      ofType.candidates.push({ key, scope, ...(narrowedTo === undefined ? {} : { narrowedTo }) });
      if (ordering !== undefined) ofType.orderings.push(ordering);
    }
  }
  // What is not known stands before everything, as it only answers 503.
  return { plugins: unknown.concat(ordered(byType, problems)), problems };
}
