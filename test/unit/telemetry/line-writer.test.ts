import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';

const program = join(import.meta.dirname, '..', '..', 'support', 'line-flood.ts');

/** Has so many lines written into a pipe before anybody reads it; gives those that arrive, and how many were dropped. */
async function flood(lines: number) {
  const script = `${process.execPath} ${program} ${lines} <&3 | { read start <&4; cat; }`;
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] });
  const [dropped] = (await once(child.stderr as NodeJS.EventEmitter, 'data')) as [Buffer];
  for (const end of [child.stdio[4], child.stdio[3]]) (end as Duplex).end('go on\n');
  const arrived = await text(child.stdout as NodeJS.ReadableStream);
  return { dropped: Number(dropped), arrived: arrived.split('\n').slice(0, -1) };
}

test('nobody waits for who does not read, and no line is lost that can be held', async () => {
  const { dropped, arrived } = await flood(5_000);
  expect(dropped).toBe(0);
  expect(arrived.map((line) => Number(line.split(' ')[0]))).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
});

test('what is too much to hold is dropped and counted, and lines stay whole', async () => {
  const { dropped, arrived } = await flood(40_000);
  expect(dropped).toBeGreaterThan(10_000);
  expect(arrived).toHaveLength(40_000 - dropped);
  expect(arrived.every((line) => /^\d+ x{400}$/.test(line))).toBe(true);
});
