/**
 * Every credential in force, found by the digest of its key, in memory that all threads share.
 *
 *   main thread (the one writer)  put, remove ──▶ slots + records ◀── find  workers (readers, no locks)
 *
 * Open addressing with linear probing; records are only ever appended. What can happen while a reader
 * looks, and why it is right all the same:
 *
 * - A key is added: its record and digest are written while the slot is empty or a tombstone, and one
 *   atomic store of the state shows them. Before it the key is unknown, after it known.
 * - A credential is replaced (another consumer, another ttl): a new record is appended, and one atomic
 *   store turns the state from the old place to the new. The key is never unknown in between.
 * - A key is removed: one atomic store of the tombstone.
 * - A tombstone is used again while a reader compares the slot: the reader saw state A, and words of the
 *   old or the new digest. It reads the state again; a place is never given out twice within one memory,
 *   so if the state is still A the words were A's all along. Otherwise it looks again. No false grant.
 * - A live key is never moved within one memory, and a search ends only at an empty slot, which no slot
 *   ever becomes again. No live key is missed.
 * - The memory grows or is tidied: everything live is copied to new memory, which workers get in a patch.
 *   A worker that still reads the old one is behind by exactly that patch, which it has not acknowledged.
 *
 * Two writers, or a write during a copy, cannot be: there is one writer and it does not wait.
 */
import type { CredentialEntry } from './credential-entry.ts';
import {
  createMemory,
  digestWords,
  empty,
  homeSlot,
  slotAt,
  tombstone,
  unitBytes,
  wordsOf,
  type CredentialMemory,
} from './credential-memory.ts';
import { packRecord, recordLength } from './credential-record.ts';

/** Slots in use, tombstones included, beyond which probing gets long. */
const fullShare = 0.75;
/** Share of slots in use in new memory: it grows by a half or more before it is full again. */
const freshShare = 0.5;
const leastSlots = 64;
const leastArenaBytes = 8_192;

/** The writer's side. A class because it holds memory that others read for as long as it lives. */
export class CredentialIndex {
  #memory: CredentialMemory = createMemory(leastSlots, leastArenaBytes);
  #live = 0;
  #tombstones = 0;
  /** Next free unit of the arena. Unit 0 is not used. */
  #nextUnit = 1;
  #garbageUnits = 0;

  /** Number of credentials. */
  get size(): number {
    return this.#live;
  }

  /** The memory as it is now. After a change it may be another: then every reader must get it. */
  get buffer(): SharedArrayBuffer {
    return this.#memory.buffer;
  }

  /** Adds a credential, or replaces the one with the same digest. */
  put(entry: CredentialEntry): void {
    const words = wordsOf(Buffer.from(entry.digest, 'base64url'));
    const record = packRecord(entry);
    this.#makeRoom(record.byteLength);
    const place = this.#append(record);
    const found = this.#find(words);
    const stateAt = slotAt(found.slot) + digestWords;
    if (found.isLive) {
      this.#garbageUnits += this.#unitsAt(Atomics.load(this.#memory.words, stateAt));
    } else {
      if (Atomics.load(this.#memory.words, stateAt) === tombstone) this.#tombstones -= 1;
      for (let i = 0; i < digestWords; i += 1) Atomics.store(this.#memory.words, slotAt(found.slot) + i, words[i] ?? 0);
      this.#live += 1;
    }
    Atomics.store(this.#memory.words, stateAt, place);
  }

  /** Removes the credential with this digest, if there is one. */
  remove(digest: string): void {
    const found = this.#find(wordsOf(Buffer.from(digest, 'base64url')));
    if (!found.isLive) return;
    const stateAt = slotAt(found.slot) + digestWords;
    this.#garbageUnits += this.#unitsAt(Atomics.load(this.#memory.words, stateAt));
    Atomics.store(this.#memory.words, stateAt, tombstone);
    this.#live -= 1;
    this.#tombstones += 1;
  }

  #unitsAt(place: number): number {
    return recordLength(this.#memory.arena, place * unitBytes) / unitBytes;
  }

  #append(record: Buffer): number {
    const place = this.#nextUnit;
    record.copy(this.#memory.arena, place * unitBytes);
    this.#nextUnit += record.byteLength / unitBytes;
    return place;
  }

  /** The slot of a digest, or the first that may take it. */
  #find(digest: Int32Array): { readonly slot: number; readonly isLive: boolean } {
    const { words, slots } = this.#memory;
    let reusable: number | undefined;
    let slot = homeSlot(digest[0] ?? 0, slots);
    for (;;) {
      const at = slotAt(slot);
      const state = words[at + digestWords];
      if (state === empty) return { slot: reusable ?? slot, isLive: false };
      if (state === tombstone) reusable ??= slot;
      else if (isDigestAt(words, at, digest)) return { slot, isLive: true };
      slot = slot + 1 === slots ? 0 : slot + 1;
    }
  }

  #makeRoom(recordBytes: number): void {
    const { slots, arena } = this.#memory;
    const isFull = this.#live + this.#tombstones + 1 > slots * fullShare;
    const hasSpace = this.#nextUnit * unitBytes + recordBytes <= arena.byteLength;
    if (isFull || !hasSpace) this.#rebuild(recordBytes);
  }

  /** Copies what is live to new memory, sized by what is live. */
  #rebuild(recordBytes: number): void {
    const old = this.#memory;
    const liveBytes = (this.#nextUnit - this.#garbageUnits) * unitBytes + recordBytes;
    const slots = Math.max(leastSlots, Math.ceil((this.#live + 1) / freshShare));
    this.#memory = createMemory(slots, Math.max(leastArenaBytes, Math.ceil((liveBytes * 1.5) / unitBytes) * unitBytes));
    this.#nextUnit = 1;
    this.#garbageUnits = 0;
    this.#tombstones = 0;
    for (let slot = 0; slot < old.slots; slot += 1) this.#copySlot(old, slotAt(slot));
  }

  #copySlot(old: CredentialMemory, at: number): void {
    const state = old.words[at + digestWords] ?? empty;
    if (state === empty || state === tombstone) return;
    const digest = old.words.subarray(at, at + digestWords);
    const length = recordLength(old.arena, state * unitBytes);
    const place = this.#append(old.arena.subarray(state * unitBytes, state * unitBytes + length));
    const to = slotAt(this.#find(digest).slot);
    this.#memory.words.set(digest, to);
    Atomics.store(this.#memory.words, to + digestWords, place);
  }
}

function isDigestAt(words: Int32Array, at: number, digest: Int32Array): boolean {
  for (let i = 0; i < digestWords; i += 1) if (words[at + i] !== digest[i]) return false;
  return true;
}
