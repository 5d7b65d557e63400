import { expect, test } from 'vitest';
import { flood } from '../../support/pipe-flood.ts';

interface Line {
  readonly line?: number;
  readonly dropped?: number;
}

async function logged(lines: number): Promise<Line[]> {
  // What was dropped is told last.
  const areRead = ({ count, tail }: { count: number; tail: string }) => count === lines || tail.includes('"dropped":');
  const { arrived } = await flood('log-flood', lines, areRead);
  return arrived.map((line) => JSON.parse(line) as Line);
}

test('a log does not wait for who does not read, and loses no line that can be held', async () => {
  const lines = await logged(2_000);
  expect(lines.map(({ line }) => line)).toEqual(Array.from({ length: 2_001 }, (_, i) => i));
});

test('what is too much to hold is dropped, and the log says how much', async () => {
  const lines = await logged(10_000);
  const told = lines.filter(({ dropped }) => dropped !== undefined);
  expect(told).toHaveLength(1);
  expect(told[0]?.dropped).toBeGreaterThan(5_000);
  expect(lines).toHaveLength(10_001 - (told[0]?.dropped ?? 0) + 1);
});
