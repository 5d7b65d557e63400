import { kindNamed } from './all-kinds.ts';
import type { Kind } from './kind.ts';
import type { Ref } from './ref.ts';

/**
 * Path of all objects of a kind, in one namespace or ('') in all.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
 */
export function collectionPath(kind: Kind, namespace: string): string {
  const group = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const within = namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${group}${within}/${kind.plural}`;
}

/** Path of one object. */
export function objectPath(ref: Ref): string {
  return `${collectionPath(kindNamed(ref.kind), ref.namespace)}/${encodeURIComponent(ref.name)}`;
}
