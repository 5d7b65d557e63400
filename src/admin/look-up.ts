import { ingress, type Ingress } from '#resources/ingress.ts';
import { pluginsAnnotation } from '#resources/annotations.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { KongConsumer } from '#resources/kong-consumer.ts';
import { kongPlugin, type KongPlugin } from '#resources/kong-plugin.ts';
import { consumersById, consumersByUsername } from '#store/indexes.ts';
import type { Store } from '#store/store.ts';
import { idOf } from './entity.ts';
import { notFound } from './errors.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A value shaped like a UUID is only ever looked up as an id (kong-facts 3.2). */
export function isUuid(text: string): boolean {
  return uuid.test(text);
}

export function findConsumer(store: Store, idOrUsername: string): KongConsumer | undefined {
  return isUuid(idOrUsername)
    ? store.lookup(consumersById, idOrUsername.toLowerCase())[0]
    : store.lookup(consumersByUsername, idOrUsername)[0];
}

/** @throws AdminError 404 */
export function consumerOrFail(store: Store, idOrUsername: string): KongConsumer {
  const found = findConsumer(store, idOrUsername);
  if (found === undefined) throw notFound();
  return found;
}

/** An Ingress by id, by `<namespace>.<name>`, or by name: in `default` first, else where it is unique. */
export function findRoute(store: Store, idOrName: string): Ingress | undefined {
  const all = store.list(ingress);
  if (isUuid(idOrName)) return all.find((object) => idOf(ingress, object) === idOrName.toLowerCase());
  const inDefault = store.get(ingress, 'default', idOrName);
  if (inDefault !== undefined) return inDefault;
  const named = all.filter((object) => object.metadata.name === idOrName);
  if (named.length === 1) return named[0];
  return all.find((object) => `${namespaceOf(object)}.${object.metadata.name}` === idOrName);
}

/** @throws AdminError 404 */
export function routeOrFail(store: Store, idOrName: string): Ingress {
  const found = findRoute(store, idOrName);
  if (found === undefined) throw notFound();
  return found;
}

export const namespaceOf = (object: KubernetesObject): string => object.metadata.namespace ?? 'default';

/** The names that an object's annotation lists. */
export function namedPlugins(object: KubernetesObject): string[] {
  const text = object.metadata.annotations?.[pluginsAnnotation] ?? '';
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The KongPlugins that an Ingress names, in that order. */
export function pluginsOfRoute(store: Store, route: Ingress): KongPlugin[] {
  return namedPlugins(route).flatMap((name) => store.get(kongPlugin, namespaceOf(route), name) ?? []);
}

/** The first Ingress that names a plugin. */
export function routeOfPlugin(store: Store, plugin: KongPlugin): Ingress | undefined {
  return store
    .list(ingress)
    .find((route) => namespaceOf(route) === namespaceOf(plugin) && namedPlugins(route).includes(plugin.metadata.name));
}

/** A KongPlugin by id or, as Kong has it, by instance name. */
export function findPlugin(plugins: readonly KongPlugin[], idOrInstance: string): KongPlugin | undefined {
  return isUuid(idOrInstance)
    ? plugins.find((object) => idOf(kongPlugin, object) === idOrInstance.toLowerCase())
    : plugins.find((object) => object.instance_name === idOrInstance);
}
