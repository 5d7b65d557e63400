import { Equal } from 'typebox/value';
import type { Ref } from '#resources/ref.ts';
import type { Reads } from '#store/reads.ts';
import { createView, factRead, type Fact, type View, type ViewOf } from '#store/view.ts';

interface KnownFact {
  readonly fact: Fact<unknown>;
  readonly ref: Ref;
  value: unknown;
}

/** Facts that somebody has read, kept until what they follow from changes. See `Fact`. */
export function createFacts(viewOf: Omit<ViewOf, 'factOf'>, reads: Reads) {
  const known = new Map<string, KnownFact>();

  const compute = (fact: Fact<unknown>, ref: Ref): unknown => {
    const seen = new Set<string>();
    const view: View = createView({ ...viewOf, factOf: get }, seen);
    try {
      return fact.compute(ref, view);
    } finally {
      reads.replace(factRead(fact, ref), seen);
    }
  };

  function get<T>(fact: Fact<T>, ref: Ref): T {
    const read = factRead(fact, ref);
    let entry = known.get(read);
    if (entry === undefined) known.set(read, (entry = { fact, ref, value: compute(fact, ref) }));
    return entry.value as T;
  }

  const forget = (read: string): void => {
    known.delete(read);
    reads.replace(read, new Set());
  };

  /** Whether the value of a fact changed; one that nobody reads any more is forgotten. */
  const hasChanged = (read: string, entry: KnownFact): boolean => {
    if (reads.readersOf(read).length === 0) {
      forget(read);
      return false;
    }
    const before = entry.value;
    entry.value = compute(entry.fact, entry.ref);
    return !Equal(before, entry.value);
  };

  return {
    get,

    /** The roots that read any of these, directly or through a fact whose value changed. */
    rootsConcerned(touched: Iterable<string>): Set<string> {
      const roots = new Set<string>();
      const queue = [...touched];
      for (let read = queue.pop(); read !== undefined; read = queue.pop()) {
        for (const reader of reads.readersOf(read)) {
          const entry = known.get(reader);
          if (entry === undefined) roots.add(reader);
          else if (hasChanged(reader, entry)) queue.push(reader);
        }
      }
      return roots;
    },
  };
}
