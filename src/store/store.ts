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
import { ingress } from '#resources/ingress.ts';
import type { Kind, KubernetesObject } from '#resources/kind.ts';
import { kongConsumer } from '#resources/kong-consumer.ts';
import { flatText, kindOfKey, refKey, refOfKey, type Ref } from '#resources/ref.ts';
import { secret, type Secret } from '#resources/secret.ts';
import { validateObject } from '#resources/validate.ts';
import type { Problem } from '#resources/verdict.ts';
import { createIndexed } from './indexed.ts';
import type { Index } from './indexes.ts';
import { packObject, unpackObject, type PackedObject } from './packed-object.ts';

/** An object and what was found wrong with it before anybody asked what it means. */
export interface Recorded {
  /** `refKey` of its ref, one text for all that is known of the object. */
  readonly key: string;
  readonly ref: Ref;
  /** Of some kinds a new copy each time it is asked for. */
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

/** The name of a read of one key of an index. That of a read of one object, there or not, is its `refKey`. */
export function indexRead(index: Index, key: string): string {
  return flatText('index:', index.name, ':', key);
}

/** See the head of this file. */
export function createStore() {
  const byKind = new Map<string, Map<string, Recorded>>();
  const findByKey = (kind: string, key: string): Recorded | undefined => byKind.get(kind)?.get(key);
  const indexed = createIndexed((kind) => byKind.get(kind)?.values() ?? []);

  const replace = (key: string, ref: Ref, recorded: Recorded | undefined): void => {
    const ofKind = byKind.get(ref.kind) ?? new Map<string, Recorded>();
    byKind.set(ref.kind, ofKind);
    if (recorded === undefined) ofKind.delete(key);
    else ofKind.set(key, recorded);
  };

  return {
    /** Takes a change in and gives the names of the reads that would now answer differently. */
    record(change: RecordedChange): string[] {
      const wanted = refKey(change.ref);
      const before = findByKey(change.ref.kind, wanted);
      const key = before?.key ?? wanted;
      const recorded = change.type === 'put' ? toRecorded(change, key) : undefined;
      replace(key, change.ref, recorded);
      const moved = indexed.replace(change.ref.kind, before, recorded);
      return [key, ...moved.map(([index, indexKey]) => indexRead(index, indexKey))];
    },

    /** The object with its faults and notes, or undefined when there is none. */
    find(ref: Ref): Recorded | undefined {
      return findByKey(ref.kind, refKey(ref));
    },

    /** The same by the `refKey` of its ref. */
    findByKey(key: string): Recorded | undefined {
      return findByKey(kindOfKey(key), key);
    },

    /** The object if it exists and is valid. */
    get<T extends KubernetesObject>(kind: Kind<T>, namespace: string, name: string): T | undefined {
      const recorded = findByKey(kind.kind, refKey({ kind: kind.kind, namespace, name }));
      return recorded === undefined || recorded.faults.length > 0 ? undefined : (recorded.object as T);
    },

    /** The valid objects that have this key in an index, by namespace and name. */
    lookup<T extends KubernetesObject>(index: Index<T>, key: string): T[] {
      return [...indexed.find(index, key)].sort(byKey).map((recorded) => recorded.object as T);
    },

    /** Whether any valid object has this key in an index. */
    has(index: Index, key: string): boolean {
      return indexed.find(index, key)[Symbol.iterator]().next().done !== true;
    },

    /** Whether a valid object that has this key in an index passes; in no order. */
    some<T extends KubernetesObject>(index: Index<T>, key: string, passes: (object: T) => boolean): boolean {
      for (const { object } of indexed.find(index, key)) if (passes(object as T)) return true;
      return false;
    },

    /** The valid objects of a kind, by namespace and name. */
    list<T extends KubernetesObject>(kind: Kind<T>): T[] {
      const found = [...(byKind.get(kind.kind)?.values() ?? [])].filter((recorded) => recorded.faults.length === 0);
      return found.sort(byKey).map((recorded) => recorded.object as T);
    },

    /** How many objects there are, invalid ones included. */
    get size(): number {
      return [...byKind.values()].reduce((sum, ofKind) => sum + ofKind.size, 0);
    },
  };
}

export type Store = ReturnType<typeof createStore>;

/** By namespace and name: what is sorted is of one kind. */
const byKey = (a: Recorded, b: Recorded): number => (a.key < b.key ? -1 : 1);

const noNotes: readonly Problem[] = [];

/** Kinds of which there may be a million. */
const packedKinds = new Set<string>([secret.kind, kongConsumer.kind, ingress.kind]);

/** What must stay readable prints as a placeholder, in JSON too. */
const hasHidden = (object: KubernetesObject): boolean =>
  Object.values((object as Secret).sealed ?? {}).some(({ hidden }) => hidden !== undefined);

/** A class since its million instances share one way to give what they do not keep. */
class PackedRecord implements Recorded {
  readonly key: string;
  readonly faults: readonly Problem[];
  readonly notes: readonly Problem[];
  readonly #shape: PackedObject['shape'];
  readonly #values: string;

  constructor({ key, faults, notes, object }: Recorded) {
    const { shape, values } = packObject(object);
    this.key = key;
    this.faults = faults;
    this.notes = notes;
    this.#shape = shape;
    this.#values = values;
  }

  get ref(): Ref {
    return refOfKey(this.key);
  }

  get object(): KubernetesObject {
    return unpackObject({ shape: this.#shape, values: this.#values });
  }
}

function toRecorded({ ref, object, problems = noNotes }: RecordedChange & { type: 'put' }, key: string): Recorded {
  const faults = validateObject(kindNamed(ref.kind), object);
  const recorded = { key, ref, object, faults, notes: problems };
  // In a file a namespace may hold a slash; its key does not tell it then.
  const isPacked = packedKinds.has(ref.kind) && !hasHidden(object) && !ref.namespace.includes('/');
  return isPacked ? new PackedRecord(recorded) : recorded;
}
