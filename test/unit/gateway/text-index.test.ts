/** The index against a map of maps, which is plain and obviously right. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTextIndex } from '#gateway/text-index.ts';

const owner = fc.integer({ min: 0, max: 2 });
/** Few and short, so that they meet, begin alike, and come back after they were removed. */
const text = fc.string({ unit: fc.constantFrom('/', 'a', 'b', 'ä', '€'), maxLength: 4 });
const change = fc.record({ owner, text, value: fc.option(fc.nat(), { nil: undefined }) });

const keyOf = (whose: number, what: string): string => `${whose} ${what}`;

/** Those of the product, and one by which most texts meet. */
const hashes = [undefined, (_whose: number, _what: string, length: number) => length % 2];

test.for(hashes)('what is set is found, by whole texts and by the start of longer ones, and nothing else', (hashOf) => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), fc.array(fc.tuple(owner, text)), (changes, asked) => {
      const index = createTextIndex<number>(hashOf);
      const plain = new Map<string, number>();
      for (const { owner: whose, text: what, value } of changes) {
        if (value === undefined) index.delete(whose, what);
        else index.set(whose, what, value);
        if (value === undefined) plain.delete(keyOf(whose, what));
        else plain.set(keyOf(whose, what), value);
      }
      for (const [whose, what] of [...asked, ...changes.map((one) => [one.owner, one.text] as const)]) {
        for (let length = 0; length <= what.length; length += 1)
          expect(index.find(whose, what, length)).toBe(plain.get(keyOf(whose, what.slice(0, length))));
      }
    }),
  );
});

test('many texts come and go', () => {
  const index = createTextIndex<number>();
  const texts = Array.from({ length: 20_000 }, (_, i) => `/tenant/${i}`);
  const present = new Set<number>();
  for (let round = 0; round < 4; round += 1) {
    texts.forEach((path, i) => {
      if ((i * 7 + round) % 3 === 0) {
        index.delete(1, path);
        present.delete(i);
      } else {
        index.set(1, path, i);
        present.add(i);
      }
    });
    const wrong = texts.filter((path, i) => index.find(1, path, path.length) !== (present.has(i) ? i : undefined));
    expect(wrong).toEqual([]);
  }
});
