/** The index against a map of maps, which is plain and obviously right. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTextIndex, isStart, startOf, type HasTexts } from '#gateway/text-index.ts';

interface Value {
  readonly host: string;
  readonly path: string;
  readonly number: number;
}

const hasTexts: HasTexts<Value> = ({ host, path }, first, second, length) =>
  host === first && isStart(path, second, length);

/** Few and short, so that they meet, begin alike, and come back after they were removed. */
const text = fc.string({ unit: fc.constantFrom('/', 'a', 'b', 'ä', '€'), maxLength: 4 });
const change = fc.record({ host: text, path: text, number: fc.option(fc.nat(), { nil: undefined }) });
/** That of the product, and one by which most texts meet. */
const hashes = [undefined, (_start: number, _second: string, length: number) => 1 + (length % 2)];

test.for(hashes)('what is set is found, by whole texts and by the start of longer ones, and nothing else', (hashOf) => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), fc.array(fc.tuple(text, text)), (changes, asked) => {
      const index = createTextIndex<Value>(hasTexts, hashOf);
      const plain = new Map<string, number>();
      for (const { host, path, number } of changes) {
        if (number === undefined) index.delete(host, path);
        else index.set(host, path, { host, path, number });
        if (number === undefined) plain.delete(JSON.stringify([host, path]));
        else plain.set(JSON.stringify([host, path]), number);
      }
      for (const [host, path] of [...asked, ...changes.map((one) => [one.host, one.path] as const)]) {
        for (let length = 0; length <= path.length; length += 1) {
          const expected = plain.get(JSON.stringify([host, path.slice(0, length)]));
          expect(index.find(startOf(host), host, path, length)?.number).toBe(expected);
        }
      }
    }),
  );
});

test('many texts come and go', () => {
  const index = createTextIndex<Value>(hasTexts);
  const paths = Array.from({ length: 20_000 }, (_, i) => `/tenant/${i}`);
  const present = new Set<number>();
  for (let round = 0; round < 4; round += 1) {
    paths.forEach((path, i) => {
      if ((i * 7 + round) % 3 === 0) {
        index.delete('shop', path);
        present.delete(i);
      } else {
        index.set('shop', path, { host: 'shop', path, number: i });
        present.add(i);
      }
    });
    const wrong = paths.filter(
      (path, i) => index.find(startOf('shop'), 'shop', path, path.length)?.number !== (present.has(i) ? i : undefined),
    );
    expect(wrong).toEqual([]);
  }
});
