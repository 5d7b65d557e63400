import type { Kind, KubernetesObject } from '#resources/kind.ts';
import { refKey, type Ref } from '#resources/ref.ts';
import type { Index } from './indexes.ts';
import { indexRead, type Recorded, type Store } from './store.ts';

/**
 * Something that follows from objects and that several roots want to know, such as whether a plugin is
 * usable. A root that reads a fact runs again only when the fact's value changes, not whenever an object
 * behind it does: a plugin's change of config does not re-run the ten thousand Ingresses that name it.
 */
export interface Fact<T> {
  readonly name: string;
  compute(ref: Ref, view: View): T;
}

/** The name of a read of a fact about a ref. */
export function factRead(fact: Fact<unknown>, ref: Ref): string {
  return `fact:${fact.name}:${refKey(ref)}`;
}

/** How a translation sees the store. Every read registers itself, those that find nothing included. */
export interface View {
  /** The object if it exists and fits its schema. */
  get<T extends KubernetesObject>(kind: Kind<T>, namespace: string, name: string): T | undefined;
  /** Whether the object exists, and whether it fits its schema. */
  stateOf(ref: Ref): 'absent' | 'invalid' | 'valid';
  /** The valid objects that have this key in an index, by namespace and name. */
  lookup<T extends KubernetesObject>(index: Index<T>, key: string): readonly T[];
  /** Whether any valid object has this key in an index; costs the same however many have it. */
  has(index: Index, key: string): boolean;
  /** Whether a valid object that has this key in an index passes; looks no further than to the first that does. */
  some<T extends KubernetesObject>(index: Index<T>, key: string, passes: (object: T) => boolean): boolean;
  fact<T>(fact: Fact<T>, ref: Ref): T;
  /** Name of the ingress class whose objects are ours. */
  readonly ingressClass: string;
}

/** What a view answers with. */
export interface ViewOf {
  readonly store: Store;
  readonly ingressClass: string;
  factOf<T>(fact: Fact<T>, ref: Ref): T;
}

/** A view that writes the names of all reads into `reads`. */
export function createView({ store, ingressClass, factOf }: ViewOf, reads: Set<string>): View {
  const find = (ref: Ref): Recorded | undefined => {
    const recorded = store.find(ref);
    reads.add(recorded?.key ?? refKey(ref)); // of an object that is there its own text, and no other of it
    return recorded;
  };
  return {
    get<T extends KubernetesObject>({ kind }: Kind<T>, namespace: string, name: string) {
      const recorded = find({ kind, namespace, name });
      return recorded === undefined || recorded.faults.length > 0 ? undefined : (recorded.object as T);
    },
    stateOf(ref) {
      const recorded = find(ref);
      if (recorded === undefined) return 'absent';
      return recorded.faults.length > 0 ? 'invalid' : 'valid';
    },
    lookup(index, key) {
      reads.add(indexRead(index, key));
      return store.lookup(index, key);
    },
    has(index, key) {
      reads.add(indexRead(index, key));
      return store.has(index, key);
    },
    some(index, key, passes) {
      reads.add(indexRead(index, key));
      return store.some(index, key, passes);
    },
    fact(fact, ref) {
      reads.add(factRead(fact, ref));
      return factOf(fact, ref);
    },
    ingressClass,
  };
}
