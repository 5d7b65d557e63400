import { pluginOrder } from '#plugins/plugin.ts';
import type { Ordering } from './plugin-fact.ts';

/** The types of a route's plugins in the order they run, or two whose orderings contradict each other. */
export type PluginOrdering = { readonly types: readonly string[] } | { readonly cycle: readonly [string, string] };

const placeOf = (type: string): number => (pluginOrder as readonly string[]).indexOf(type);

/** For each type those that must have run before it. */
function earlierTypes(orderings: ReadonlyMap<string, readonly Ordering[]>): Map<string, Set<string>> {
  const earlier = new Map([...orderings.keys()].map((type) => [type, new Set<string>()]));
  const pairs = [...orderings].flatMap(([type, ofType]) =>
    ofType.flatMap(({ before, after }) => [
      ...before.map((other) => [type, other] as const),
      ...after.map((other) => [other, type] as const),
    ]),
  );
  for (const [one, later] of pairs) if (earlier.has(one)) earlier.get(later)?.add(one);
  return earlier;
}

/**
 * Orders types by their usual places, except that each comes after all that its own or another's `ordering`
 * puts before it. What nobody speaks of stays where it is. A type that a route does not have orders nothing.
 */
export function orderTypes(orderings: ReadonlyMap<string, readonly Ordering[]>): PluginOrdering {
  const earlier = earlierTypes(orderings);
  const types: string[] = [];
  const underWay: string[] = [];
  const byPlace = (some: Iterable<string>): string[] => [...some].sort((a, b) => placeOf(a) - placeOf(b));
  const take = (type: string): readonly [string, string] | undefined => {
    if (types.includes(type)) return undefined;
    if (underWay.includes(type)) return [type, underWay.at(-1) ?? type];
    underWay.push(type);
    for (const other of byPlace(earlier.get(type) ?? [])) {
      const cycle = take(other);
      if (cycle !== undefined) return cycle;
    }
    underWay.pop();
    types.push(type);
    return undefined;
  };
  for (const type of byPlace(orderings.keys())) {
    const cycle = take(type);
    if (cycle !== undefined) return { cycle };
  }
  return { types };
}
