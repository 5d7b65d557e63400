import { digestBytes } from './digest.ts';

/**
 * The shared memory of a credential index, and how it is divided. One thread writes, any number read.
 *
 *   head     16 words (a cache line); the first is the number of slots
 *   slots    one word each
 *   arena    records one behind the other, each at a whole word; `credential-record.ts` says what is in one
 *
 * A slot is 0 when it was never used, -1 (a tombstone) when its key was removed, and else the place of a
 * record (its word, counted from the start of the memory) in the low bits and as many bits of the record's
 * digest, its tag, as are left above. So a slot with another key is passed over without a look at the
 * record, which would be a miss of the cache; 1,000,000 keys leave a tag of 7 bits.
 */
export interface CredentialMemory {
  readonly buffer: SharedArrayBuffer;
  /** All of it as words. */
  readonly words: Int32Array<SharedArrayBuffer>;
  /** All of it as bytes. */
  readonly bytes: Buffer;
  readonly slots: number;
  /** The bits of a slot that hold the place. */
  readonly placeMask: number;
}

/** Where the slots begin. */
export const slotsAt = 16;
export const neverUsed = 0;
export const tombstone = -1;
export const wordBytes = 4;
/** So that a place is never negative and leaves a bit for the tag; 8 GB. */
const mostWords = 2 ** 31 - 1;

/**
 * New memory for so many slots and words of records.
 *
 * @throws RangeError when there is no such amount of memory
 */
export function createMemory(slots: number, arenaWords: number): CredentialMemory {
  const length = slotsAt + slots + arenaWords;
  if (length > mostWords) throw new RangeError(`a credential index of ${length} words; at most ${mostWords}`);
  const buffer = new SharedArrayBuffer(length * wordBytes);
  new Int32Array(buffer, 0, 1)[0] = slots;
  return openMemory(buffer);
}

/** The memory that another thread made. */
export function openMemory(buffer: SharedArrayBuffer): CredentialMemory {
  const words = new Int32Array(buffer);
  // One bit pattern more than there are words: no place is all ones, so no slot looks like a tombstone.
  const placeMask = 2 ** (32 - Math.clz32(words.length)) - 1;
  return { buffer, words, bytes: Buffer.from(buffer), slots: words[0] ?? 0, placeMask };
}

/** Where the records begin. */
export function arenaAt({ slots }: CredentialMemory): number {
  return slotsAt + slots;
}

/** The slot at which the search for the digest at byte `at` begins: its first word, scaled to the number of slots. */
export function homeSlot({ slots }: CredentialMemory, bytes: Buffer, at: number): number {
  return Math.floor((bytes.readUInt32LE(at) / 2 ** 32) * slots);
}

/** The slot at which the search goes on. */
export function slotAfter({ slots }: CredentialMemory, slot: number): number {
  return slot + 1 === slots ? 0 : slot + 1;
}

/** What a slot holds above the place: as much as there is room for of another word of the digest than the home. */
export function slotTag({ placeMask }: CredentialMemory, bytes: Buffer, at: number): number {
  return bytes.readInt32LE(at + wordBytes) & ~placeMask;
}

/** Whether what was loaded from a slot shows a record with this digest. */
export function shows(memory: CredentialMemory, loaded: number, digest: Buffer): boolean {
  const place = loaded & memory.placeMask;
  return loaded !== tombstone && (loaded ^ place) === slotTag(memory, digest, 0) && hasDigest(memory, place, digest);
}

/** It stops at the first difference: see `credential-index.ts`, Timing. */
function hasDigest({ bytes }: CredentialMemory, place: number, digest: Buffer): boolean {
  for (let at = 0; at < digestBytes; at += wordBytes) {
    if (bytes.readInt32LE(place * wordBytes + at) !== digest.readInt32LE(at)) return false;
  }
  return true;
}
