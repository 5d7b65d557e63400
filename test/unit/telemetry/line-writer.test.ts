import { expect, test } from 'vitest';
import { flood } from '../../support/pipe-flood.ts';

/** Written before the end, behind those that are asked for (support/line-flood.ts). */
const more = 200;

/** Lines that arrive, and how many were dropped. */
async function written(lines: number) {
  const { said, arrived } = await flood(
    'line-flood',
    lines,
    ({ said: dropped, count }) => count === lines - Number(dropped),
  );
  return { dropped: Number(said), arrived };
}

test('nobody waits for who does not read, and no line is lost that can be held', async () => {
  const { dropped, arrived } = await written(5_000);
  expect(dropped).toBe(0);
  expect(arrived.map((line) => Number(line.split(' ')[0]))).toEqual(Array.from({ length: 5_000 + more }, (_, i) => i));
});

test('what is too much to hold is dropped and counted, and lines stay whole', async () => {
  const { dropped, arrived } = await written(40_000);
  expect(dropped).toBeGreaterThan(10_000);
  expect(arrived).toHaveLength(40_000 - dropped + more);
  expect(arrived.every((line) => /^\d+ x{400}$/.test(line))).toBe(true);
});
