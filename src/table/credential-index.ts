/**
 * Every credential in force, found by the digest of its key, in memory that all threads share.
 *
 *   main thread (the one writer)  put, remove ──▶ slots ──▶ records ◀── find  workers (readers, no locks)
 *
 * Open addressing with linear probing, over records that are only ever appended. What keeps it right:
 *
 *   1. A record is written whole before a slot shows it, and never again: no place is used twice in one
 *      memory. It bears its digest. So whatever a slot shows, now or earlier, is a whole record.
 *   2. A slot is one word, stored and loaded atomically. That store is the only moment of every change: a
 *      put shows a record in a slot that was free, a replacement in the slot of the old one, a removal
 *      leaves a tombstone. A digest is in one slot at most.
 *   3. From the home of a live digest to its slot no slot is free of use, and none becomes so: a removal
 *      leaves a tombstone, nothing live is moved, and half of the slots stay never used, where a search ends.
 *
 * So a look-up may run beside any change, and its answer was true at a moment between its start and end:
 *
 *   found     The slot showed that record when it was loaded, and the record has the digest (1, 2). If the
 *             key is removed or replaced the moment after, the answer is of the moment before. The slot
 *             taken again by another key (with a tombstone in between or not) cannot be mistaken: what was
 *             loaded is the place of a record, not of a slot, and nobody looks at the slot twice.
 *   unknown   A key that is live for the whole look-up is in one slot for the whole of it, and the search
 *             gets there (3). A key that was missed was therefore absent at some moment: it was put too
 *             late, or it was removed and put again elsewhere, behind the search.
 *
 * What cannot overlap: two changes (there is one writer, and it does not wait inside of one), and a change
 * with the copying to new memory, which nobody else has yet. A reader never waits nor tries again.
 *
 * When slots or records run out, or most records are of removed keys, all that is live is copied to new
 * memory and the writer uses only that. Workers get it in a patch, and until a worker has it the old memory
 * stays as it was: later changes are in force once every worker acknowledged that patch, which is what
 * whoever reports them waits for anyway.
 *
 * Timing: how long a look-up takes depends on how many tags and digests are compared and how far. Digests
 * are keyed with a secret of this process, so nobody outside knows one, can make one that shares a word with
 * another, or can aim keys at one slot; what is compared has nothing left of how keys resemble each other.
 */
import type { CredentialEntry } from './credential-entry.ts';
import {
  arenaAt,
  createMemory,
  homeSlot,
  neverUsed,
  shows,
  slotAfter,
  slotsAt,
  slotTag,
  tombstone,
  wordBytes,
  type CredentialMemory,
} from './credential-memory.ts';
import { mostRecordBytes, packRecord, recordEnd, recordWords } from './credential-record.ts';
import { digestBytes } from './digest.ts';

/** Of all slots, at least as many as are used are never used: a search ends after 1.5 slots, 2.5 if in vain. */
const slotsPerEntry = 2;
/** Room that new memory has, as a share of what is live: growing by one key costs five copies of a key. */
const spareShare = 0.25;
/** And room that it has at least, so that it is seldom new while there are few keys. */
const leastSpareEntries = 4_096;
/** A guess, to turn entries into words where nothing is known of them. */
const usualRecordWords = 18;

/** What must still fit in. */
interface Room {
  readonly entries: number;
  readonly words: number;
}

const noRoom: Room = { entries: 0, words: 0 };

/** The writer's side. A class because it holds memory that others read for as long as it lives. */
export class CredentialIndex {
  readonly #spareEntries: number;
  #memory: CredentialMemory;
  #live = 0;
  /** Slots with a key or a tombstone. */
  #used = 0;
  /** Where the next record goes. */
  #next: number;
  /** Words of records that no slot shows any more. */
  #garbageWords = 0;

  /** @param options.spareEntries room for so many more keys, at least, whenever memory is new */
  constructor(options: { readonly spareEntries?: number } = {}) {
    this.#spareEntries = Math.max(1, options.spareEntries ?? leastSpareEntries);
    this.#memory = this.#newMemory(0, noRoom);
    this.#next = arenaAt(this.#memory);
  }

  /** Number of credentials. */
  get size(): number {
    return this.#live;
  }

  /** The memory as it is now. After a change it may be another: then every reader must get it. */
  get buffer(): SharedArrayBuffer {
    return this.#memory.buffer;
  }

  /**
   * Tells how many puts are about to come. They do without it, but if they are more than there are keys, as
   * at the start, memory is then new once and not again and again, and none of it lies about meanwhile.
   */
  reserve(puts: number): void {
    if (puts > this.#live) this.#makeRoom({ entries: puts, words: puts * usualRecordWords });
  }

  /**
   * Adds a credential, or replaces the one with the same digest, which is never unknown in between.
   *
   * @returns whether there was one that said something else
   */
  put(entry: CredentialEntry): boolean {
    const digest = bytesOf(entry.digest);
    this.#makeRoom({ entries: 1, words: Math.ceil(mostRecordBytes(entry) / wordBytes) });
    const { words, bytes } = this.#memory;
    const end = packRecord(entry, digest, bytes, this.#next * wordBytes);
    const { slot, place: old } = this.#find(digest);
    if (old === undefined) {
      if (words[slotsAt + slot] === neverUsed) this.#used += 1;
      this.#live += 1;
    } else {
      // The same again leaves all as it is: a resync must not fill the memory.
      if (this.#isSame(old, end)) return false;
      this.#garbageWords += recordWords(bytes, old);
    }
    this.#show(slot, digest, end);
    return old !== undefined;
  }

  /**
   * Removes the credential with this digest.
   *
   * @returns whether there was one
   */
  remove(digest: string): boolean {
    const { slot, place } = this.#find(bytesOf(digest));
    if (place === undefined) return false;
    Atomics.store(this.#memory.words, slotsAt + slot, tombstone);
    this.#live -= 1;
    this.#garbageWords += recordWords(this.#memory.bytes, place);
    const isMostlyGarbage = this.#garbageWords > 3 * this.#liveWords() + this.#spareEntries * usualRecordWords;
    if (isMostlyGarbage) this.#rebuild(noRoom);
    return true;
  }

  /** Numbers for tests and benchmarks. */
  stats() {
    const { buffer, slots } = this.#memory;
    return {
      slots,
      tombstones: this.#used - this.#live,
      bytes: buffer.byteLength,
      usedBytes: this.#next * wordBytes,
      garbageBytes: this.#garbageWords * wordBytes,
    };
  }

  /** Shows the record that stands at `#next` and ends at byte `end`. */
  #show(slot: number, digest: Buffer, end: number): void {
    Atomics.store(this.#memory.words, slotsAt + slot, slotTag(this.#memory, digest, 0) | this.#next);
    this.#next = Math.ceil(end / wordBytes);
  }

  /** Whether the record at a place is the one that stands at `#next` and ends at byte `end`. */
  #isSame(place: number, end: number): boolean {
    const { bytes } = this.#memory;
    const at = place * wordBytes;
    return bytes.compare(bytes, at, recordEnd(bytes, at), this.#next * wordBytes, end) === 0;
  }

  /** The slot and record of a digest, or the first slot that may take it. */
  #find(digest: Buffer): { readonly slot: number; readonly place?: number } {
    const { words, placeMask } = this.#memory;
    let free: number | undefined;
    let slot = homeSlot(this.#memory, digest, 0);
    for (;;) {
      const loaded = words[slotsAt + slot] ?? neverUsed;
      if (loaded === neverUsed) return { slot: free ?? slot };
      // A tombstone may be taken, but only if the digest is not further on: it must not be there twice.
      if (loaded === tombstone) free ??= slot;
      if (shows(this.#memory, loaded, digest)) return { slot, place: loaded & placeMask };
      slot = slotAfter(this.#memory, slot);
    }
  }

  #liveWords(): number {
    return this.#next - arenaAt(this.#memory) - this.#garbageWords;
  }

  #makeRoom(room: Room): void {
    const { slots, words } = this.#memory;
    const hasSlots = (this.#used + room.entries) * slotsPerEntry <= slots;
    if (!hasSlots || this.#next + room.words > words.length) this.#rebuild(room);
  }

  #newMemory(liveWords: number, room: Room): CredentialMemory {
    const spareEntries = Math.max(room.entries, Math.ceil(this.#live * spareShare) + this.#spareEntries);
    const spareWords = Math.max(room.words, Math.ceil(liveWords * spareShare) + this.#spareEntries * usualRecordWords);
    return createMemory((this.#live + spareEntries) * slotsPerEntry, liveWords + spareWords);
  }

  /** Copies what is live to new memory, which has that room and more. */
  #rebuild(room: Room): void {
    const old = this.#memory;
    this.#memory = this.#newMemory(this.#liveWords(), room);
    this.#next = arenaAt(this.#memory);
    this.#used = this.#live;
    this.#garbageWords = 0;
    for (let slot = 0; slot < old.slots; slot += 1) {
      const loaded = old.words[slotsAt + slot] ?? neverUsed;
      if (loaded !== neverUsed && loaded !== tombstone) this.#copy(old, loaded & old.placeMask);
    }
  }

  #copy(old: CredentialMemory, place: number): void {
    const { words, bytes } = this.#memory;
    const at = this.#next * wordBytes;
    const length = recordWords(old.bytes, place);
    for (let i = 0; i < length; i += 1) words[this.#next + i] = old.words[place + i] ?? 0;
    let slot = homeSlot(this.#memory, bytes, at);
    while (words[slotsAt + slot] !== neverUsed) slot = slotAfter(this.#memory, slot);
    words[slotsAt + slot] = slotTag(this.#memory, bytes, at) | this.#next;
    this.#next += length;
  }
}

/** @throws when the text is not of a digest: a bug */
function bytesOf(digest: string): Buffer {
  const bytes = Buffer.from(digest, 'base64url');
  if (bytes.byteLength !== digestBytes) throw new Error(`a digest has ${digestBytes} bytes, not ${bytes.byteLength}`);
  return bytes;
}
