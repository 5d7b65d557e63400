/** Up to so many readers are kept in a list, which takes a third of the memory of a set. */
const few = 4;

/**
 * Who read what, both ways. A reader is a root or a fact; a read is the name of something that can change:
 * an object (existing or not), a key of an index, a fact.
 */
export function createReads() {
  const readsOf = new Map<string, readonly string[]>();
  /** Nearly everything has one reader or two: a set is made only for many. */
  const readersOf = new Map<string, readonly string[] | Set<string>>();

  const unlink = (read: string, reader: string): void => {
    const readers = readersOf.get(read) ?? [];
    const left = readers instanceof Set ? readers : readers.filter((other) => other !== reader);
    if (left instanceof Set) left.delete(reader);
    if ((left instanceof Set ? left.size : left.length) === 0) readersOf.delete(read);
    else readersOf.set(read, left);
  };

  const link = (read: string, reader: string): void => {
    const readers = readersOf.get(read) ?? [];
    if (readers instanceof Set) readers.add(reader);
    else if (readers.includes(reader)) return;
    else readersOf.set(read, readers.length < few ? readers.concat(reader) : new Set([...readers, reader]));
  };

  return {
    /** Replaces all that a reader has read; an empty set forgets the reader. */
    replace(reader: string, reads: ReadonlySet<string>): void {
      for (const read of readsOf.get(reader) ?? []) if (!reads.has(read)) unlink(read, reader);
      for (const read of reads) link(read, reader);
      if (reads.size === 0) readsOf.delete(reader);
      // A copy has room for what is in it; what spreads a set keeps room for seventeen.
      else readsOf.set(reader, [...reads].slice());
    },

    /** The readers of a read; they are to run again when its answer changes. */
    readersOf(read: string): readonly string[] {
      return [...(readersOf.get(read) ?? [])];
    },
  };
}

export type Reads = ReturnType<typeof createReads>;
