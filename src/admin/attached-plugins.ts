/**
 * Which plugins there are, as Kong sees them: a KongPlugin exists for Kong by being attached to something.
 *
 *   Ingress, Service ──konghq.com/plugins──▶ KongPlugin of the namespace, else KongClusterPlugin
 *   label global: "true" ──────────────────▶ KongClusterPlugin
 */
import { listedItems, pluginsAnnotation } from '#resources/annotations.ts';
import type { Ingress } from '#resources/ingress.ts';
import { refOf, type Kind, type KubernetesObject } from '#resources/kind.ts';
import { kongClusterPlugin, kongPlugin, type KongPlugin } from '#resources/kong-plugin.ts';
import { refKey } from '#resources/ref.ts';
import { service, type Service } from '#resources/service.ts';
import { globalPlugins } from '#store/indexes.ts';
import type { Backend } from './backend.ts';
import { idOf } from './entity.ts';
import { isOurs, isUuid, namespaceOf, ourRoutes } from './look-up.ts';

/** A plugin and which of the two kinds it is; their fields are the same. */
export interface NamedPlugin {
  readonly kind: Kind<KongPlugin>;
  readonly object: KongPlugin;
}

/** A plugin and everything that it is attached to. With nothing, it is global. */
export interface AttachedPlugin extends NamedPlugin {
  readonly routes: readonly Ingress[];
  readonly services: readonly Service[];
}

const clusterKind = kongClusterPlugin;

export const pluginId = ({ kind, object }: NamedPlugin): string => idOf(kind, object);

/** What a name in the annotation of an object in that namespace means, as it does in the table. */
function resolvePlugin(backend: Backend, namespace: string, name: string): NamedPlugin | undefined {
  if (backend.store.find({ kind: kongPlugin.kind, namespace, name }) !== undefined) {
    const object = backend.store.get(kongPlugin, namespace, name);
    return object === undefined ? undefined : { kind: kongPlugin, object };
  }
  const object = backend.store.get(clusterKind, '', name);
  return object === undefined || !isOurs(backend, object) ? undefined : { kind: clusterKind, object };
}

/** The plugins that an Ingress or a Service names, in that order. */
export function pluginsOf(backend: Backend, object: KubernetesObject): NamedPlugin[] {
  return listedItems(object.metadata.annotations?.[pluginsAnnotation]).flatMap(
    (name) => resolvePlugin(backend, namespaceOf(object), name) ?? [],
  );
}

/** Every plugin that is attached to something, or global. */
export function attachedPlugins(backend: Backend): AttachedPlugin[] {
  const found = new Map<string, NamedPlugin & { routes: Ingress[]; services: Service[] }>();
  const add = (plugin: NamedPlugin) => {
    const key = refKey(refOf(plugin.kind, plugin.object));
    const known = found.get(key) ?? { ...plugin, routes: [], services: [] };
    found.set(key, known);
    return known;
  };
  for (const route of ourRoutes(backend))
    for (const plugin of pluginsOf(backend, route)) add(plugin).routes.push(route);
  for (const object of backend.store.list(service)) {
    for (const plugin of pluginsOf(backend, object)) add(plugin).services.push(object);
  }
  for (const object of backend.store.lookup(globalPlugins, '')) {
    if (isOurs(backend, object)) add({ kind: clusterKind, object });
  }
  return [...found.values()];
}

/** A plugin by id or, as Kong has it, by instance name. */
export function findPlugin<T extends NamedPlugin>(plugins: readonly T[], idOrInstance: string): T | undefined {
  return isUuid(idOrInstance)
    ? plugins.find((plugin) => pluginId(plugin) === idOrInstance.toLowerCase())
    : plugins.find(({ object }) => object.instance_name === idOrInstance);
}
