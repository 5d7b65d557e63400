/**
 * What there is: every object that a source delivered, by kind and name, and the indexes over them.
 *
 *   changes ──▶ record ──▶ objects + indexes ──▶ view (tracked reads) ──▶ translations
 *                  └──▶ the read keys whose answer changed ──▶ which roots run again
 *
 * It knows what objects look like (their schemas), not what they mean. Invariant: an object that fails its
 * schema is kept, so that it can be reported on, but no look-up ever returns it: whoever reads an object
 * through the store may rely on its type.
 */
import { kindNamed } from '#resources/all-kinds.ts';
import type { Kind, KubernetesObject } from '#resources/kind.ts';
import { compareRefs, flatText, refKey, type Ref } from '#resources/ref.ts';
import { validateObject } from '#resources/validate.ts';
import type { Problem } from '#resources/verdict.ts';
import { allIndexes, type Index } from './indexes.ts';

/** An object and what was found wrong with it before anybody asked what it means. */
export interface Recorded {
  /** `refKey` of its ref, one text for all that is known of the object. */
  readonly key: string;
  readonly ref: Ref;
  readonly object: KubernetesObject;
  /** Faults by the schema of its kind; with any, the object is not in force. */
  readonly faults: readonly Problem[];
  /** What its source says of it (it stands in two files); it is in force all the same. */
  readonly notes: readonly Problem[];
}

export type RecordedChange =
  | {
      readonly type: 'put';
      readonly ref: Ref;
      readonly object: KubernetesObject;
      readonly problems?: readonly Problem[];
    }
  | { readonly type: 'delete'; readonly ref: Ref };

/** The name of a read of one object, whether or not it exists. */
export function objectRead(ref: Ref): string {
  return flatText('object:', refKey(ref));
}

/** The name of a read of one key of an index. */
export function indexRead(index: Index, key: string): string {
  return flatText('index:', index.name, ':', key);
}

/** See the head of this file. */
export function createStore() {
  const byKind = new Map<string, Map<string, Recorded>>();
  /**
   * By index, then by key. An index is made when somebody first looks something up in it: some are hardly ever
   * asked, and a million consumers by their ids take memory. Nearly every key has one object: a map is made
   * only for a second.
   */
  const buckets = new Map<Index, Map<string, Recorded | Map<string, Recorded>>>();

  const keysOf = (index: Index, recorded: Recorded | undefined): readonly string[] =>
    recorded === undefined || recorded.faults.length > 0 ? [] : index.keysOf(recorded.object, recorded.ref);

  const findByKey = (kind: string, key: string): Recorded | undefined => byKind.get(kind)?.get(key);

  const replace = (key: string, ref: Ref, recorded: Recorded | undefined): void => {
    const ofKind = byKind.get(ref.kind) ?? new Map<string, Recorded>();
    byKind.set(ref.kind, ofKind);
    if (recorded === undefined) ofKind.delete(key);
    else ofKind.set(key, recorded);
  };

  const build = (index: Index): Map<string, Recorded | Map<string, Recorded>> => {
    const ofIndex = new Map<string, Recorded | Map<string, Recorded>>();
    buckets.set(index, ofIndex);
    for (const recorded of byKind.get(index.kind.kind)?.values() ?? []) {
      for (const key of keysOf(index, recorded)) addTo(index, key, recorded);
    }
    return ofIndex;
  };

  const bucketOf = (index: Index, key: string): Recorded[] => {
    const bucket = (buckets.get(index) ?? build(index)).get(key);
    if (bucket === undefined) return [];
    return bucket instanceof Map ? [...bucket.values()] : [bucket];
  };

  const removeFrom = (index: Index, key: string, recorded: Recorded): void => {
    const ofIndex = buckets.get(index);
    const bucket = ofIndex?.get(key);
    if (bucket instanceof Map) bucket.delete(recorded.key);
    if (!(bucket instanceof Map) || bucket.size === 0) ofIndex?.delete(key);
  };

  const addTo = (index: Index, key: string, recorded: Recorded): void => {
    const ofIndex = buckets.get(index);
    const bucket = ofIndex?.get(key);
    if (bucket === undefined) ofIndex?.set(key, recorded);
    else if (bucket instanceof Map) bucket.set(recorded.key, recorded);
    else
      ofIndex?.set(
        key,
        new Map([
          [bucket.key, bucket],
          [recorded.key, recorded],
        ]),
      );
  };

  /** Moves an object to where it is found from now on, and gives the names of the reads that tell of it. */
  const reindex = (index: Index, before: Recorded | undefined, after: Recorded | undefined): string[] => {
    if (!buckets.has(index)) return []; // nobody has asked
    const old = keysOf(index, before);
    const now = keysOf(index, after);
    if (before !== undefined) for (const key of old) removeFrom(index, key, before);
    if (after !== undefined) for (const key of now) addTo(index, key, after);
    return [...new Set([...old, ...now])].map((key) => indexRead(index, key));
  };

  return {
    /** Takes a change in and gives the names of the reads that would now answer differently. */
    record(change: RecordedChange): string[] {
      const wanted = refKey(change.ref);
      const before = findByKey(change.ref.kind, wanted);
      const key = before?.key ?? wanted;
      const recorded = change.type === 'put' ? toRecorded(change, key) : undefined;
      replace(key, change.ref, recorded);
      const indexes = allIndexes.filter((index) => index.kind.kind === change.ref.kind);
      return [objectRead(change.ref), ...indexes.flatMap((index) => reindex(index, before, recorded))];
    },

    /** The object with its faults and notes, or undefined when there is none. */
    find(ref: Ref): Recorded | undefined {
      return findByKey(ref.kind, refKey(ref));
    },

    /** The object if it exists and is valid. */
    get<T extends KubernetesObject>(kind: Kind<T>, namespace: string, name: string): T | undefined {
      const recorded = findByKey(kind.kind, refKey({ kind: kind.kind, namespace, name }));
      return recorded === undefined || recorded.faults.length > 0 ? undefined : (recorded.object as T);
    },

    /** The valid objects that have this key in an index, by namespace and name. */
    lookup<T extends KubernetesObject>(index: Index<T>, key: string): T[] {
      return bucketOf(index, key)
        .sort((a, b) => compareRefs(a.ref, b.ref))
        .map((recorded) => recorded.object as T);
    },

    /** The valid objects of a kind, by namespace and name. */
    list<T extends KubernetesObject>(kind: Kind<T>): T[] {
      const found = [...(byKind.get(kind.kind)?.values() ?? [])].filter((recorded) => recorded.faults.length === 0);
      return found.sort((a, b) => compareRefs(a.ref, b.ref)).map((recorded) => recorded.object as T);
    },

    /** How many objects there are, invalid ones included. */
    get size(): number {
      return [...byKind.values()].reduce((sum, ofKind) => sum + ofKind.size, 0);
    },
  };
}

export type Store = ReturnType<typeof createStore>;

const noNotes: readonly Problem[] = [];

function toRecorded(change: RecordedChange & { type: 'put' }, key: string): Recorded {
  return {
    key,
    ref: change.ref,
    object: change.object,
    faults: validateObject(kindNamed(change.ref.kind), change.object),
    notes: change.problems ?? noNotes,
  };
}
