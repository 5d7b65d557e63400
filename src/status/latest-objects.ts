import type { KubernetesObject } from '#resources/kind.ts';
import { refKey, type Ref } from '#resources/ref.ts';

type ObjectOf = (ref: Ref) => KubernetesObject | undefined;

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions: comparable as numbers. */
function isOlder(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}

/**
 * Objects as they were watched last; where one of our own writes has not come back by the watch yet, as
 * that write left them. Otherwise a status that was just written would be written again.
 */
export function createLatestObjects(objectOf: ObjectOf) {
  const ahead = new Map<string, KubernetesObject>();

  const isCaughtUp = (watched: KubernetesObject, written: KubernetesObject): boolean => {
    const { uid, resourceVersion = '' } = watched.metadata;
    return uid !== written.metadata.uid || !isOlder(resourceVersion, written.metadata.resourceVersion ?? '');
  };

  return {
    /** The object as it is by now, as far as we know. */
    find(ref: Ref): KubernetesObject | undefined {
      const watched = objectOf(ref);
      const written = ahead.get(refKey(ref));
      if (written === undefined) return watched;
      if (watched !== undefined && !isCaughtUp(watched, written)) return written;
      ahead.delete(refKey(ref));
      return watched;
    },
    /** The API server answered with this version of an object. Only what a status needs is kept. */
    note(ref: Ref, { apiVersion, kind, metadata, status }: KubernetesObject): void {
      const { name, namespace, uid, resourceVersion, generation } = metadata;
      const kept = { name, namespace, uid, resourceVersion, generation } as KubernetesObject['metadata'];
      ahead.set(refKey(ref), { apiVersion, kind, metadata: kept, status });
    },
    forget(ref: Ref): void {
      ahead.delete(refKey(ref));
    },
  };
}

export type LatestObjects = ReturnType<typeof createLatestObjects>;
