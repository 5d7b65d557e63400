import { listedItems, pluginsAnnotation } from './annotations.ts';
import type { KubernetesObject } from './kind.ts';

/** One item of the annotation `konghq.com/plugins`: `name`, or `namespace:name` (kong-facts 4.7). */
export interface PluginReference {
  readonly item: string;
  /** Absent: the namespace of whoever refers. */
  readonly namespace?: string;
  /** Absent when the item cannot be read. */
  readonly name?: string;
}

function readItem(item: string): PluginReference {
  const parts = item.split(':').map((part) => part.trim());
  const [first = '', second] = parts;
  if (parts.length > 2 || parts.includes('')) return { item };
  return second === undefined ? { item, name: first } : { item, namespace: first, name: second };
}

/** What an object names in `konghq.com/plugins`, in its order, each once. */
export function pluginReferences(object: KubernetesObject): PluginReference[] {
  return listedItems(object.metadata.annotations?.[pluginsAnnotation]).map(readItem);
}
