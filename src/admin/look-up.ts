import { classAnnotation } from '#resources/annotations.ts';
import { ingress, type Ingress } from '#resources/ingress.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { kongConsumer, type KongConsumer } from '#resources/kong-consumer.ts';
import { consumersByCustomId, consumersById, consumersByUsername, defaultIngressClasses } from '#store/indexes.ts';
import type { Backend } from './backend.ts';
import { idOf } from './entity.ts';
import { notFound } from './errors.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A value shaped like a UUID is only ever looked up as an id (kong-facts 3.2). */
export function isUuid(text: string): boolean {
  return uuid.test(text);
}

export const namespaceOf = (object: KubernetesObject): string => object.metadata.namespace ?? 'default';

/** Whether an object is of our ingress class (kong-facts 4.4); what is not is left alone and not shown. */
export function isOurs(backend: Backend, object: KubernetesObject, specClass?: string): boolean {
  const annotated = object.metadata.annotations?.[classAnnotation];
  const stated = annotated === undefined || annotated === '' ? specClass : annotated;
  if (stated !== undefined) return stated === backend.ingressClass;
  return backend.store.lookup(defaultIngressClasses, backend.ingressClass).length > 0;
}

const ageOf = ({ metadata }: KubernetesObject): number => {
  const created = Date.parse(metadata.creationTimestamp ?? '');
  return Number.isNaN(created) ? Number.NEGATIVE_INFINITY : created;
};

/** Of several objects that want the same the oldest has it, as in the table. Equals stay in their order. */
export function oldest<T extends KubernetesObject>(objects: readonly T[]): T | undefined {
  return [...objects].sort((a, b) => (ageOf(a) === ageOf(b) ? 0 : ageOf(a) - ageOf(b)))[0];
}

export function ourConsumers(backend: Backend): KongConsumer[] {
  return backend.store.list(kongConsumer).filter((object) => isOurs(backend, object));
}

/** Our consumers by a name that is theirs alone, or should be. */
export function consumersNamed(backend: Backend, field: 'username' | 'custom_id', value: string): KongConsumer[] {
  const index = field === 'username' ? consumersByUsername : consumersByCustomId;
  return backend.store.lookup(index, value).filter((object) => isOurs(backend, object));
}

export function findConsumer(backend: Backend, idOrUsername: string): KongConsumer | undefined {
  if (!isUuid(idOrUsername)) return oldest(consumersNamed(backend, 'username', idOrUsername));
  const found = backend.store.lookup(consumersById, idOrUsername.toLowerCase());
  return oldest(found.filter((object) => isOurs(backend, object)));
}

/** @throws AdminError 404 */
export function consumerOrFail(backend: Backend, idOrUsername: string): KongConsumer {
  const found = findConsumer(backend, idOrUsername);
  if (found === undefined) throw notFound();
  return found;
}

export function ourRoutes(backend: Backend): Ingress[] {
  return backend.store.list(ingress).filter((object) => isOurs(backend, object, object.spec?.ingressClassName));
}

/** An Ingress by id, by `<namespace>.<name>`, or by name: where new objects are made first, else where it is unique. */
export function findRoute(backend: Backend, idOrName: string): Ingress | undefined {
  const all = ourRoutes(backend);
  if (isUuid(idOrName)) return all.find((object) => idOf(ingress, object) === idOrName.toLowerCase());
  const named = all.filter(({ metadata }) => metadata.name === idOrName);
  const first = named.find((object) => namespaceOf(object) === backend.namespace);
  if (first !== undefined) return first;
  if (named.length === 1) return named[0];
  return all.find((object) => `${namespaceOf(object)}.${object.metadata.name}` === idOrName);
}

/** @throws AdminError 404 */
export function routeOrFail(backend: Backend, idOrName: string): Ingress {
  const found = findRoute(backend, idOrName);
  if (found === undefined) throw notFound();
  return found;
}
