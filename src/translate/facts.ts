import { Equal } from 'typebox/value';
import type { Ref } from '#resources/ref.ts';
import type { ReadNames, Reads } from '#store/reads.ts';
import { createView, factRead, type Fact, type View, type ViewOf } from '#store/view.ts';

interface KnownFact {
  readonly fact: Fact<unknown>;
  readonly ref: Ref;
  value: unknown;
  reads: ReadNames;
}

/** Facts that somebody has read, kept until what they follow from changes. See `Fact`. */
export function createFacts(viewOf: Omit<ViewOf, 'factOf'>, reads: Reads) {
  const known = new Map<string, KnownFact>();

  const compute = (read: string, entry: KnownFact): void => {
    const seen = new Set<string>();
    const view: View = createView({ ...viewOf, factOf: get }, seen);
    try {
      entry.value = entry.fact.compute(entry.ref, view);
    } finally {
      entry.reads = reads.replace(read, entry.reads, seen);
    }
  };

  function get<T>(fact: Fact<T>, ref: Ref): T {
    const read = factRead(fact, ref);
    const found = known.get(read);
    if (found !== undefined) return found.value as T;
    const entry: KnownFact = { fact, ref, value: undefined, reads: [] };
    compute(read, entry);
    known.set(read, entry);
    return entry.value as T;
  }

  const forget = (read: string, entry: KnownFact): void => {
    known.delete(read);
    reads.replace(read, entry.reads, new Set());
  };

  /** Whether the value of a fact changed; one that nobody reads any more is forgotten. */
  const hasChanged = (read: string, entry: KnownFact): boolean => {
    if (reads.readersOf(read).length === 0) {
      forget(read, entry);
      return false;
    }
    const before = entry.value;
    compute(read, entry);
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
