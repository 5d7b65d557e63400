import { randomBytes } from 'node:crypto';

/**
 * Values by a text and a number that says whose text it is, found without a string of the text being made or hashed
 * by V8, and with few reads of memory: in a table of 100,000 routes each read is one that no cache has.
 *
 *   words   a power of two of slots, two words each: the hash, and the place of the value (0: free)
 *   places  owner, text and value, each in a list of its own
 *
 * Open addressing with linear probing; at most half of the slots are taken, and a slot's hash is compared before
 * anything it leads to is read. What is removed leaves no mark: what stands behind it moves up.
 */
export interface TextIndex<V> {
  /** The value of an owner's text that is the first so many characters of this one. */
  find(owner: number, text: string, length: number): V | undefined;
  set(owner: number, text: string, value: V): void;
  delete(owner: number, text: string): void;
}

/** Nobody outside can aim texts at one slot. */
const seed = randomBytes(4).readInt32LE();

/** FNV-1a by characters, and its bits mixed so that the low ones depend on all. */
function seededHash(owner: number, text: string, length: number): number {
  let hash = seed ^ owner;
  for (let i = 0; i < length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01_00_01_93);
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

/** See `TextIndex`. @param hashOf of the first so many characters of an owner's text */
export function createTextIndex<V>(hashOf: typeof seededHash = seededHash): TextIndex<V> {
  let slots = emptySlots(leastSlots);
  let used = 0;
  // The place 0 is nobody's.
  const owners: number[] = [0];
  const texts: string[] = [''];
  const values: (V | undefined)[] = [undefined];
  const free: number[] = [];

  /** The slot of a text, or the free one where it would be. */
  const slotOf = (hash: number, owner: number, text: string): number => {
    let slot = hash & slots.mask;
    for (; placeAt(slots, slot) !== 0; slot = (slot + 1) & slots.mask) {
      const place = placeAt(slots, slot);
      if (owners[place] === owner && texts[place] === text) break;
    }
    return slot;
  };

  return {
    find(owner, text, length) {
      const { words, mask } = slots;
      const hash = hashOf(owner, text, length);
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const place = words[2 * slot + 1] ?? 0;
        if (place === 0) return undefined;
        if (words[2 * slot] !== hash || owners[place] !== owner) continue;
        const found = texts[place] ?? '';
        if (found.length === length && (length === text.length ? text === found : text.startsWith(found)))
          return values[place];
      }
    },

    set(owner, text, value) {
      const hash = hashOf(owner, text, text.length);
      const slot = slotOf(hash, owner, text);
      const place = placeAt(slots, slot) || (free.pop() ?? texts.length);
      owners[place] = owner;
      texts[place] = text;
      values[place] = value;
      if (placeAt(slots, slot) !== 0) return;
      fill(slots, slot, hash, place);
      used += 1;
      if (used * 2 > slots.mask) slots = grown(slots);
    },

    delete(owner, text) {
      const slot = slotOf(hashOf(owner, text, text.length), owner, text);
      const place = placeAt(slots, slot);
      if (place === 0) return;
      closeGap(slots, slot);
      used -= 1;
      texts[place] = '';
      values[place] = undefined;
      free.push(place);
    },
  };
}
