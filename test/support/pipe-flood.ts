import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { until } from './until.ts';

/** What has come of a flood so far. */
interface Arrived {
  /** What the program said of its lines, on standard error. */
  readonly said: string;
  readonly count: number;
  /** The end of what came. */
  readonly tail: string;
}

/**
 * Has a program beside this file write so many lines into a pipe before anybody reads it, and read to what the caller
 * knows to be their end; only then it is told to go on to its own, since it waits no more than a moment there.
 * Gives all lines that arrive, and what the program said of the first.
 */
export async function flood(
  program: 'line-flood' | 'log-flood',
  lines: number,
  areRead: (arrived: Arrived) => boolean,
): Promise<{ readonly said: string; readonly arrived: string[] }> {
  const script = `${process.execPath} ${join(import.meta.dirname, `${program}.ts`)} ${lines} <&3 | { read start <&4; cat; }`;
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] });
  const stdout = child.stdout as NodeJS.ReadableStream;
  const [first] = (await once(child.stderr as NodeJS.EventEmitter, 'data')) as [Buffer];
  const said = first.toString('utf8');
  let text = '';
  let count = 0;
  stdout.on('data', (chunk: Buffer) => {
    const piece = chunk.toString('utf8');
    text += piece;
    count += piece.split('\n').length - 1;
  });
  const ended = once(stdout, 'end');
  (child.stdio[4] as Duplex).end('go on\n');
  await until({
    what: `the ${lines} lines of ${program} are read`,
    holds: () => areRead({ said, count, tail: text.slice(-1024) }),
    subscribe: (check) => {
      stdout.on('data', check);
      return () => stdout.off('data', check);
    },
  });
  (child.stdio[3] as Duplex).end('go on\n');
  await ended;
  return { said, arrived: text.split('\n').slice(0, -1) };
}
