import { refOf, type Kind, type KubernetesObject } from '#resources/kind.ts';
import { formatRef } from '#resources/ref.ts';
import type { Edit } from '#source/source.ts';
import { conflict } from './errors.ts';

/** Makes an object. Gives the write up if somebody else made one of that name meanwhile. */
export function creation(kind: Kind, object: KubernetesObject): Edit {
  const ref = refOf(kind, object);
  return {
    ref,
    apply: (current) => {
      if (current !== undefined) throw conflict(`${formatRef(ref)} was made by somebody else meanwhile`);
      return object;
    },
  };
}

/**
 * Changes an object as it is at its source. Gives the write up if it is gone: what the store has of it
 * may be sealed and must never be written back.
 */
export function change<T extends KubernetesObject>(
  kind: Kind<T>,
  object: T,
  apply: (current: T) => KubernetesObject,
): Edit {
  const ref = refOf(kind, object);
  return {
    ref,
    apply: (current) => {
      if (current === undefined) throw conflict(`${formatRef(ref)} was deleted by somebody else meanwhile`);
      return apply(current as T);
    },
  };
}

/** Changes an object if it is still there; for taking away what refers to something that goes. */
export function changeIfThere<T extends KubernetesObject>(
  kind: Kind<T>,
  object: T,
  apply: (current: T) => KubernetesObject,
): Edit {
  const ref = refOf(kind, object);
  return { ref, apply: (current) => (current === undefined ? undefined : apply(current as T)) };
}

/** Deletes an object; that it is gone already is as good. */
export function deletion(kind: Kind, object: KubernetesObject): Edit {
  return { ref: refOf(kind, object), apply: () => undefined };
}
