import type { KubernetesObject } from '#resources/kind.ts';

/** What happened to an object, in the order it happened to that object. */
export type ObservedChange =
  | { readonly type: 'put'; readonly object: KubernetesObject }
  | { readonly type: 'delete'; readonly object: Pick<KubernetesObject, 'metadata'> };

type Name = Pick<KubernetesObject['metadata'], 'namespace' | 'name'>;

/** In one piece, as are versions: a template keeps its parts, and there may be a million. */
const keyOf = ({ namespace = '', name }: Name): string => [namespace, '/', name].join('');

/** What tells one version of an object from every other, in one text: it has less overhead than two. */
const versionText = ({ uid = '', resourceVersion = '' }: KubernetesObject['metadata']): string =>
  [resourceVersion, '/', uid].join('');

const resourceVersionIn = (version: string): string => version.slice(0, version.indexOf('/'));
const uidIn = (version: string): string => version.slice(version.indexOf('/') + 1);

/** The deletion of what has this key: names hold no slash. */
function deletionOf(key: string): ObservedChange {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  return { type: 'delete', object: { metadata: slash === 0 ? { name } : { namespace: key.slice(0, slash), name } } };
}

/**
 * Which objects of a kind have been delivered, and at which version: what a fresh list is compared with.
 * Of each only its name, uid and version are kept.
 */
export function createKnownObjects() {
  const known = new Map<string, string>();

  return {
    /** Version at which an object was delivered last; undefined when there is none. */
    versionOf(namespace: string, name: string): string | undefined {
      const version = known.get(keyOf({ namespace, name }));
      return version === undefined ? undefined : resourceVersionIn(version);
    },

    get size(): number {
      return known.size;
    },

    /** What has to be delivered so that these are all there is; a recreated object is deleted first. */
    differences(objects: readonly KubernetesObject[]): ObservedChange[] {
      const there = new Set(objects.map(({ metadata }) => keyOf(metadata)));
      const gone = [...known.keys()].filter((key) => !there.has(key)).map(deletionOf);
      return [...gone, ...objects.flatMap((object) => this.changesTo(object))];
    },

    /** What has to be delivered so that the object is as it is here: nothing if it is known at this version. */
    changesTo(object: KubernetesObject): ObservedChange[] {
      const key = keyOf(object.metadata);
      const was = known.get(key);
      if (was === versionText(object.metadata)) return [];
      const isRecreated = was !== undefined && uidIn(was) !== (object.metadata.uid ?? '');
      return [...(isRecreated ? [deletionOf(key)] : []), { type: 'put', object }];
    },

    /** What has to be delivered so that the object is gone. */
    changesToGone({ metadata }: Pick<KubernetesObject, 'metadata'>): ObservedChange[] {
      const key = keyOf(metadata);
      return known.has(key) ? [deletionOf(key)] : [];
    },

    /** Notes what is delivered. */
    note(changes: readonly ObservedChange[]): void {
      for (const change of changes) {
        if (change.type === 'put') known.set(keyOf(change.object.metadata), versionText(change.object.metadata));
        else known.delete(keyOf(change.object.metadata));
      }
    },
  };
}
