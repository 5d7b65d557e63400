/** Up to so many readers are kept in a list, which takes a third of the memory of a set. */
const few = 4;

/** One text, a list of some, a set of many: nearly everything has one reader, and most readers read one thing. */
type Readers = string | readonly string[] | Set<string>;

const listOf = (readers: Readers | undefined): readonly string[] => {
  if (readers === undefined) return [];
  return typeof readers === 'string' ? [readers] : [...readers];
};

/** A list in the least memory; what spreads a set keeps room for seventeen. */
const packed = (list: readonly string[]): string | readonly string[] =>
  list.length === 1 && list[0] !== undefined ? list[0] : list.slice();

/**
 * Who read what, both ways. A reader is a root or a fact; a read is the name of something that can change:
 * an object (existing or not), a key of an index, a fact.
 */
export function createReads() {
  const readsOf = new Map<string, string | readonly string[]>();
  const readersOf = new Map<string, Readers>();

  const unlink = (read: string, reader: string): void => {
    const readers = readersOf.get(read);
    if (readers instanceof Set) {
      readers.delete(reader);
      if (readers.size === 0) readersOf.delete(read);
      return;
    }
    const left = listOf(readers).filter((other) => other !== reader);
    if (left.length === 0) readersOf.delete(read);
    else readersOf.set(read, packed(left));
  };

  const link = (read: string, reader: string): void => {
    const readers = readersOf.get(read);
    if (readers instanceof Set) {
      readers.add(reader);
      return;
    }
    const list = listOf(readers);
    if (list.includes(reader)) return;
    readersOf.set(read, list.length < few ? packed([...list, reader]) : new Set([...list, reader]));
  };

  return {
    /** Replaces all that a reader has read; an empty set forgets the reader. */
    replace(reader: string, reads: ReadonlySet<string>): void {
      for (const read of listOf(readsOf.get(reader))) if (!reads.has(read)) unlink(read, reader);
      for (const read of reads) link(read, reader);
      if (reads.size === 0) readsOf.delete(reader);
      else readsOf.set(reader, packed([...reads]));
    },

    /** The readers of a read; they are to run again when its answer changes. */
    readersOf(read: string): readonly string[] {
      return listOf(readersOf.get(read));
    },
  };
}

export type Reads = ReturnType<typeof createReads>;
