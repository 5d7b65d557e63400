import { expect, test } from 'vitest';
import { flood } from '../../support/pipe-flood.ts';

/** Lines that arrive, and how many were dropped. */
async function written(lines: number) {
  const { said, arrived } = await flood('line-flood', lines);
  return { dropped: Number(said), arrived };
}

test('nobody waits for who does not read, and no line is lost that can be held', async () => {
  const { dropped, arrived } = await written(5_000);
  expect(dropped).toBe(0);
  expect(arrived.map((line) => Number(line.split(' ')[0]))).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
});

test('what is too much to hold is dropped and counted, and lines stay whole', async () => {
  const { dropped, arrived } = await written(40_000);
  expect(dropped).toBeGreaterThan(10_000);
  expect(arrived).toHaveLength(40_000 - dropped);
  expect(arrived.every((line) => /^\d+ x{400}$/.test(line))).toBe(true);
});
