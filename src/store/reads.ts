/**
 * Who read what, both ways. A reader is a root or a fact; a read is the name of something that can change:
 * an object (existing or not), a key of an index, a fact.
 */
export function createReads() {
  const readsOf = new Map<string, ReadonlySet<string>>();
  const readersOf = new Map<string, Set<string>>();

  const unlink = (read: string, reader: string): void => {
    const readers = readersOf.get(read);
    readers?.delete(reader);
    if (readers?.size === 0) readersOf.delete(read);
  };

  const link = (read: string, reader: string): void => {
    const readers = readersOf.get(read);
    if (readers === undefined) readersOf.set(read, new Set([reader]));
    else readers.add(reader);
  };

  return {
    /** Replaces all that a reader has read; an empty set forgets the reader. */
    replace(reader: string, reads: ReadonlySet<string>): void {
      const before = readsOf.get(reader);
      for (const read of before ?? []) if (!reads.has(read)) unlink(read, reader);
      for (const read of reads) if (before === undefined || !before.has(read)) link(read, reader);
      if (reads.size === 0) readsOf.delete(reader);
      else readsOf.set(reader, reads);
    },

    /** The readers of a read; they are to run again when its answer changes. */
    readersOf(read: string): readonly string[] {
      return [...(readersOf.get(read) ?? [])];
    },
  };
}

export type Reads = ReturnType<typeof createReads>;
