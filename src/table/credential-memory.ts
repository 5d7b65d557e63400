import { digestBytes } from './digest.ts';

/**
 * The shared memory of a credential index, and how it is divided. One thread writes, any number read.
 *
 *   head    4 words    number of slots, bytes of the arena, two spare
 *   slots   5 words each    digest (4 words), state
 *   arena   records, one behind the other, never moved or overwritten within one memory
 *
 * State: 0 for empty, `tombstone` for deleted, else where the record stands (in units of 8 bytes, from 1).
 */
export interface CredentialMemory {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly slots: number;
  /** The arena as bytes; unit 0 is never used, so that a place is never 0. */
  readonly arena: Buffer;
}

const headWords = 4;
const wordsPerSlot = 5;
export const digestWords = digestBytes / 4;
export const unitBytes = 8;
export const empty = 0;
export const tombstone = -1;

/** New memory for so many slots and bytes of records. */
export function createMemory(slots: number, arenaBytes: number): CredentialMemory {
  const arenaAt = Math.ceil(((headWords + slots * wordsPerSlot) * 4) / unitBytes) * unitBytes;
  const buffer = new SharedArrayBuffer(arenaAt + arenaBytes);
  const head = new Int32Array(buffer, 0, headWords);
  head[0] = slots;
  return openMemory(buffer);
}

/** The memory that another thread made. */
export function openMemory(buffer: SharedArrayBuffer): CredentialMemory {
  const slots = new Int32Array(buffer, 0, headWords)[0] ?? 0;
  const wordCount = headWords + slots * wordsPerSlot;
  const arenaAt = Math.ceil((wordCount * 4) / unitBytes) * unitBytes;
  return { buffer, words: new Int32Array(buffer, 0, wordCount), slots, arena: Buffer.from(buffer, arenaAt) };
}

/** Where the words of a slot begin. */
export function slotAt(slot: number): number {
  return headWords + slot * wordsPerSlot;
}

/** The slot at which the search for a digest begins: its first word, scaled to the number of slots. */
export function homeSlot(word: number, slots: number): number {
  return Math.floor(((word >>> 0) / 2 ** 32) * slots);
}

/** The words of a digest. */
export function wordsOf(digest: Buffer): Int32Array {
  const words = new Int32Array(digestWords);
  for (let i = 0; i < digestWords; i += 1) words[i] = digest.readInt32LE(i * 4);
  return words;
}
