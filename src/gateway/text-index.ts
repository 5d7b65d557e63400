import { randomBytes } from 'node:crypto';

/**
 * Values by two texts, found without a string being made or hashed by V8, and with few reads of memory: in a table of
 * 100,000 routes each read is one that no cache has.
 *
 *   words    a power of two of slots, two words each: the hash, and the place of the value (0: free)
 *   values   know their texts themselves
 *
 * Open addressing with linear probing; at most half of the slots are taken, and a slot's hash is compared before
 * anything it leads to is read. What is removed leaves no mark: what stands behind it moves up.
 */
export interface TextIndex<V> {
  /** The value of a first text and the first so many characters of a second. */
  find(first: string, second: string, length: number): V | undefined;
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

/** FNV-1a by characters, and its bits mixed so that the low ones depend on all. */
function seededHash(first: string, second: string, length: number): number {
  let hash = seed;
  for (let i = 0; i < first.length; i += 1) hash = Math.imul(hash ^ first.charCodeAt(i), 0x01_00_01_93);
  for (let i = 0; i < length; i += 1) hash = Math.imul(hash ^ second.charCodeAt(i), 0x01_00_01_93);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d);
  return hash ^ (hash >>> 13);
}

interface Slots {
  readonly words: Int32Array;
  /** The number of slots, less one. */
  readonly mask: number;
}

const leastSlots = 16;

const emptySlots = (number: number): Slots => ({ words: new Int32Array(2 * number), mask: number - 1 });

const placeAt = ({ words }: Slots, slot: number): number => words[2 * slot + 1] ?? 0;

function fill({ words }: Slots, slot: number, hash: number, place: number): void {
  words[2 * slot] = hash;
  words[2 * slot + 1] = place;
}

function grown(old: Slots): Slots {
  const slots = emptySlots(2 * (old.mask + 1));
  for (let i = 0; i <= old.mask; i += 1) {
    if (placeAt(old, i) === 0) continue;
    const hash = old.words[2 * i] ?? 0;
    let slot = hash & slots.mask;
    while (placeAt(slots, slot) !== 0) slot = (slot + 1) & slots.mask;
    fill(slots, slot, hash, placeAt(old, i));
  }
  return slots;
}

/** Moves up what stands behind a slot and began its search at it or before (Knuth, 6.4, algorithm R). */
function closeGap(slots: Slots, slot: number): void {
  const { words, mask } = slots;
  let gap = slot;
  for (let at = (gap + 1) & mask; placeAt(slots, at) !== 0; at = (at + 1) & mask) {
    const hash = words[2 * at] ?? 0;
    if (((at - hash) & mask) < ((at - gap) & mask)) continue;
    fill(slots, gap, hash, placeAt(slots, at));
    gap = at;
  }
  fill(slots, gap, 0, 0);
}

/** See `TextIndex`. @param hashOf as `HasTexts` takes the texts */
export function createTextIndex<V>(hasTexts: HasTexts<V>, hashOf: typeof seededHash = seededHash): TextIndex<V> {
  let slots = emptySlots(leastSlots);
  let used = 0;
  /** The place 0 is nobody's. */
  const values: (V | undefined)[] = [undefined];
  const free: number[] = [];

  /** The slot of two texts, or the free one where it would be. */
  const slotOf = (hash: number, first: string, second: string): number => {
    let slot = hash & slots.mask;
    for (; placeAt(slots, slot) !== 0; slot = (slot + 1) & slots.mask) {
      const value = values[placeAt(slots, slot)];
      if (value !== undefined && hasTexts(value, first, second, second.length)) break;
    }
    return slot;
  };

  return {
    find(first, second, length) {
      const { words, mask } = slots;
      const hash = hashOf(first, second, length);
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const place = words[2 * slot + 1] ?? 0;
        if (place === 0) return undefined;
        if (words[2 * slot] !== hash) continue;
        const value = values[place];
        if (value !== undefined && hasTexts(value, first, second, length)) return value;
      }
    },

    set(first, second, value) {
      const hash = hashOf(first, second, second.length);
      const slot = slotOf(hash, first, second);
      const known = placeAt(slots, slot);
      const place = known === 0 ? (free.pop() ?? values.length) : known;
      values[place] = value;
      if (known !== 0) return;
      fill(slots, slot, hash, place);
      used += 1;
      if (used * 2 > slots.mask) slots = grown(slots);
    },

    delete(first, second) {
      const slot = slotOf(hashOf(first, second, second.length), first, second);
      const place = placeAt(slots, slot);
      if (place === 0) return;
      closeGap(slots, slot);
      used -= 1;
      values[place] = undefined;
      free.push(place);
    },
  };
}
