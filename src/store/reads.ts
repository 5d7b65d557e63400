import { packList, unpackList, type PackedList } from './packed-list.ts';

/** Up to so many readers are kept in a list, which takes a third of the memory of a set. */
const few = 4;

/** Nearly everything has one reader. */
type Readers = PackedList<string> | Set<string>;

/** What a reader has read, as it is kept with it. */
export type ReadNames = PackedList<string>;

const listOf = (readers: Readers | undefined): readonly string[] => {
  if (readers === undefined) return [];
  return readers instanceof Set ? [...readers] : unpackList(readers);
};

/**
 * Who reads what. A reader is a root or a fact; a read is the name of something that can change:
 * an object (existing or not), a key of an index, a fact.
 */
export function createReads() {
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
    else readersOf.set(read, packList(left));
  };

  const link = (read: string, reader: string): void => {
    const readers = readersOf.get(read);
    if (readers instanceof Set) {
      readers.add(reader);
      return;
    }
    const list = listOf(readers);
    if (list.includes(reader)) return;
    readersOf.set(read, list.length < few ? packList([...list, reader]) : new Set([...list, reader]));
  };

  return {
    /** Replaces all that a reader has read, which its keeper gives and gets; with nothing read it is forgotten. */
    replace(reader: string, before: ReadNames, reads: ReadonlySet<string>): ReadNames {
      for (const read of unpackList(before)) if (!reads.has(read)) unlink(read, reader);
      for (const read of reads) link(read, reader);
      return packList([...reads]);
    },

    /** The readers of a read; they are to run again when its answer changes. */
    readersOf(read: string): readonly string[] {
      return listOf(readersOf.get(read));
    },
  };
}

export type Reads = ReturnType<typeof createReads>;
