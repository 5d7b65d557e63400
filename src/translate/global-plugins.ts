import type { KongClusterPlugin } from '#resources/kong-plugin.ts';
import type { Ref } from '#resources/ref.ts';
import { foreignClass } from './ingress-class.ts';
import { rankOf } from './rank.ts';
import type { Context } from './translation.ts';

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
