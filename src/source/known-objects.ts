import type { KubernetesObject } from '#resources/kind.ts';

/** What happened to an object, in the order it happened to that object. */
export type ObservedChange =
  | { readonly type: 'put'; readonly object: KubernetesObject }
  | { readonly type: 'delete'; readonly object: Pick<KubernetesObject, 'metadata'> };

interface Known {
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string;
}

const keyOf = ({ namespace, name }: { readonly namespace?: string | undefined; readonly name: string }): string =>
  `${namespace ?? ''}/${name}`;

const knownOf = ({ metadata }: KubernetesObject): Known => ({
  uid: metadata.uid,
  resourceVersion: metadata.resourceVersion,
  namespace: metadata.namespace,
  name: metadata.name,
});

const deletionOf = ({ namespace, name }: Known): ObservedChange => ({
  type: 'delete',
  object: { metadata: { name, ...(namespace === undefined ? {} : { namespace }) } },
});

/**
 * Which objects of a kind have been delivered, and at which version: what a fresh list is compared with.
 * Of each only its name, uid and version are kept.
 */
export function createKnownObjects() {
  const known = new Map<string, Known>();

  return {
    /** Version at which an object was delivered last; undefined when there is none. */
    versionOf: (namespace: string, name: string): string | undefined =>
      known.get(keyOf({ namespace, name }))?.resourceVersion,

    get size(): number {
      return known.size;
    },

    /** What has to be delivered so that these are all there is; a recreated object is deleted first. */
    differences(objects: readonly KubernetesObject[]): ObservedChange[] {
      const there = new Set(objects.map(({ metadata }) => keyOf(metadata)));
      const gone = [...known].filter(([key]) => !there.has(key)).map(([, was]) => deletionOf(was));
      return [...gone, ...objects.flatMap((object) => this.changesTo(object))];
    },

    /** What has to be delivered so that the object is as it is here: nothing if it is known at this version. */
    changesTo(object: KubernetesObject): ObservedChange[] {
      const was = known.get(keyOf(object.metadata));
      if (was?.resourceVersion === object.metadata.resourceVersion && was?.uid === object.metadata.uid) return [];
      const isRecreated = was !== undefined && was.uid !== object.metadata.uid;
      return [...(isRecreated ? [deletionOf(was)] : []), { type: 'put', object }];
    },

    /** What has to be delivered so that the object is gone. */
    changesToGone({ metadata }: Pick<KubernetesObject, 'metadata'>): ObservedChange[] {
      const was = known.get(keyOf(metadata));
      return was === undefined ? [] : [deletionOf(was)];
    },

    /** Notes what is delivered. */
    note(changes: readonly ObservedChange[]): void {
      for (const change of changes) {
        if (change.type === 'put') known.set(keyOf(change.object.metadata), knownOf(change.object));
        else known.delete(keyOf(change.object.metadata));
      }
    },
  };
}
