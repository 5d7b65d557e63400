import { allIndexes, type Index } from './indexes.ts';
import type { Recorded } from './store.ts';

/** Nearly every key of an index has one object: a map is made only for a second. */
type Bucket = Recorded | Map<string, Recorded>;

/**
 * Objects by the keys of indexes. An index is made when somebody first looks something up in it: some are hardly
 * ever asked, and a million consumers by their ids take memory.
 *
 * @param objectsOf all objects of a kind as they are now
 */
export function createIndexed(objectsOf: (kind: string) => Iterable<Recorded>) {
  const made = new Map<Index, Map<string, Bucket>>();

  /** What gives the keys of an object by an index: it is asked for the object once, whatever the number of indexes. */
  const keysBy = (recorded: Recorded | undefined): ((index: Index) => readonly string[]) => {
    if (recorded === undefined || recorded.faults.length > 0) return () => [];
    const { object, ref } = recorded;
    return (index) => index.keysOf(object, ref);
  };

  const make = (index: Index): Map<string, Bucket> => {
    const buckets = new Map<string, Bucket>();
    made.set(index, buckets);
    for (const recorded of objectsOf(index.kind.kind)) {
      for (const key of keysBy(recorded)(index)) addTo(buckets, key, recorded);
    }
    return buckets;
  };

  return {
    /** Moves an object to where it is found from now on; gives the keys that would now answer differently. */
    replace(kind: string, before: Recorded | undefined, after: Recorded | undefined): [Index, string][] {
      // What was never asked has nobody to tell.
      const asked = allIndexes.filter((index) => index.kind.kind === kind && made.has(index));
      if (asked.length === 0) return [];
      const [keysBefore, keysAfter] = [keysBy(before), keysBy(after)];
      return asked.flatMap((index) => {
        const buckets = made.get(index) ?? make(index);
        const old = keysBefore(index);
        const now = keysAfter(index);
        if (before !== undefined) for (const key of old) removeFrom(buckets, key, before);
        if (after !== undefined) for (const key of now) addTo(buckets, key, after);
        return [...new Set([...old, ...now])].map((key): [Index, string] => [index, key]);
      });
    },

    /** The valid objects that have this key. */
    find(index: Index, key: string): Iterable<Recorded> {
      const bucket = (made.get(index) ?? make(index)).get(key);
      if (bucket === undefined) return [];
      return bucket instanceof Map ? bucket.values() : [bucket];
    },
  };
}

function removeFrom(buckets: Map<string, Bucket>, key: string, recorded: Recorded): void {
  const bucket = buckets.get(key);
  if (bucket instanceof Map) bucket.delete(recorded.key);
  if (!(bucket instanceof Map) || bucket.size === 0) buckets.delete(key);
}

function addTo(buckets: Map<string, Bucket>, key: string, recorded: Recorded): void {
  const bucket = buckets.get(key);
  if (bucket instanceof Map) bucket.set(recorded.key, recorded);
  else if (bucket === undefined) buckets.set(key, recorded);
  else {
    const both: [string, Recorded][] = [bucket, recorded].map((one) => [one.key, one]);
    buckets.set(key, new Map(both));
  }
}
