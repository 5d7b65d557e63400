import { randomBytes } from 'node:crypto';

/**
 * Values by two texts, found without a string being made or hashed by V8, and with few reads of memory: in a table of
 * 100,000 routes each read is one that no cache has.
 *
 *   hashes   of a power of two of slots, 0 where a slot is free: compared before anything else is read
 *   values   by slot as well, so that both are read at a time; they know their texts themselves
 *
 * Open addressing with linear probing; at most half of the slots are taken. What is removed leaves no mark: what stands
 * behind it moves up.
 */
export interface TextIndex<V> {
  /**
   * The value of a first text and the first so many characters of a second.
   *
   * @param start `startOf` the first: who asks for several has it hashed once
   */
  find(start: number, first: string, second: string, length: number): V | undefined;
  set(first: string, second: string, value: V): void;
  delete(first: string, second: string): void;
}

/** Whether a value is that of a first text and the first so many characters of a second. */
export type HasTexts<V> = (value: V, first: string, second: string, length: number) => boolean;

/** Whether a text is the first so many characters of another. */
export function isStart(text: string, other: string, length: number): boolean {
  return text.length === length && (length === other.length ? text === other : other.startsWith(text));
}

/** Nobody outside can aim texts at one slot. */
const seed = randomBytes(4).readInt32LE();

/** The hash of a first text, which goes on with the second: FNV-1a by characters. */
export function startOf(first: string): number {
  let hash = seed;
  for (let i = 0; i < first.length; i += 1) hash = Math.imul(hash ^ first.charCodeAt(i), 0x01_00_01_93);
  return hash;
}

/** The bits are mixed in the end, so that the low ones depend on all. */
function endOf(start: number, second: string, length: number): number {
  let hash = start;
  for (let i = 0; i < length; i += 1) hash = Math.imul(hash ^ second.charCodeAt(i), 0x01_00_01_93);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d);
  return hash ^ (hash >>> 13) || 1;
}

interface Slots<V> {
  readonly hashes: Int32Array;
  readonly values: (V | undefined)[];
  /** The number of slots, less one. */
  readonly mask: number;
}

const leastSlots = 16;

const emptySlots = <V>(number: number): Slots<V> => ({
  hashes: new Int32Array(number),
  values: Array.from({ length: number }, () => undefined),
  mask: number - 1,
});

function fill<V>({ hashes, values }: Slots<V>, slot: number, hash: number, value: V | undefined): void {
  hashes[slot] = hash;
  values[slot] = value;
}

function grown<V>(old: Slots<V>): Slots<V> {
  const slots = emptySlots<V>(2 * (old.mask + 1));
  for (const [i, hash] of old.hashes.entries()) {
    if (hash === 0) continue;
    let slot = hash & slots.mask;
    while (slots.hashes[slot] !== 0) slot = (slot + 1) & slots.mask;
    fill(slots, slot, hash, old.values[i]);
  }
  return slots;
}

/** Moves up what stands behind a slot and began its search at it or before (Knuth, 6.4, algorithm R). */
function closeGap<V>(slots: Slots<V>, slot: number): void {
  const { hashes, values, mask } = slots;
  let gap = slot;
  for (let at = (gap + 1) & mask; hashes[at] !== 0; at = (at + 1) & mask) {
    const hash = hashes[at] ?? 0;
    if (((at - hash) & mask) < ((at - gap) & mask)) continue;
    fill(slots, gap, hash, values[at]);
    gap = at;
  }
  fill(slots, gap, 0, undefined);
}

/** See `TextIndex`. @param hashOf what started with the first text and goes on with the second; never 0 */
export function createTextIndex<V>(hasTexts: HasTexts<V>, hashOf: typeof endOf = endOf): TextIndex<V> {
  let slots = emptySlots<V>(leastSlots);
  let used = 0;

  /** The slot of two texts, or the free one where it would be. */
  const slotOf = (hash: number, first: string, second: string): number => {
    const { hashes, values, mask } = slots;
    let slot = hash & mask;
    for (; hashes[slot] !== 0; slot = (slot + 1) & mask) {
      const value = values[slot];
      if (value !== undefined && hasTexts(value, first, second, second.length)) break;
    }
    return slot;
  };

  return {
    find(start, first, second, length) {
      const { hashes, values, mask } = slots;
      const hash = hashOf(start, second, length);
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const found = hashes[slot];
        if (found === 0) return undefined;
        if (found !== hash) continue;
        const value = values[slot];
        if (value !== undefined && hasTexts(value, first, second, length)) return value;
      }
    },

    set(first, second, value) {
      const hash = hashOf(startOf(first), second, second.length);
      const slot = slotOf(hash, first, second);
      const isNew = slots.hashes[slot] === 0;
      fill(slots, slot, hash, value);
      if (!isNew) return;
      used += 1;
      if (used * 2 > slots.mask) slots = grown(slots);
    },

    delete(first, second) {
      const slot = slotOf(hashOf(startOf(first), second, second.length), first, second);
      if (slots.hashes[slot] === 0) return;
      closeGap(slots, slot);
      used -= 1;
    },
  };
}
