import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createReads, type ReadNames } from '#store/reads.ts';

const reader = fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5', 'r6');
const readNames = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'));

describe('reads', () => {
  test('are found by what was read, whoever read anew, less, or no more', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(reader, readNames), { maxLength: 40 }), (steps) => {
        const reads = createReads();
        const kept = new Map<string, ReadNames>();
        const known = new Map<string, readonly string[]>();
        for (const [name, seen] of steps) {
          kept.set(name, reads.replace(name, kept.get(name) ?? [], new Set(seen)));
          known.set(name, seen);
        }
        for (const read of ['a', 'b', 'c']) {
          const readers = [...known].filter(([, seen]) => seen.includes(read)).map(([name]) => name);
          expect([...reads.readersOf(read)].sort()).toEqual(readers.sort());
        }
      }),
    );
  });

  test('take no more than their text where one thing is read', () => {
    const reads = createReads();
    expect(reads.replace('r', [], new Set(['a']))).toBe('a');
    expect(reads.replace('r', 'a', new Set(['a', 'b']))).toEqual(['a', 'b']);
    expect(reads.replace('r', ['a', 'b'], new Set())).toEqual([]);
    expect([reads.readersOf('a'), reads.readersOf('b')]).toEqual([[], []]);
  });
});
