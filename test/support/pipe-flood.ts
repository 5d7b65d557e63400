import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';

/**
 * Has a program beside this file write so many lines into a pipe before anybody reads it; gives those that arrive, and
 * what the program said of them before, on standard error.
 */
export async function flood(program: 'line-flood' | 'log-flood', lines: number) {
  const script = `${process.execPath} ${join(import.meta.dirname, `${program}.ts`)} ${lines} <&3 | { read start <&4; cat; }`;
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] });
  const [said] = (await once(child.stderr as NodeJS.EventEmitter, 'data')) as [Buffer];
  for (const end of [child.stdio[4], child.stdio[3]]) (end as Duplex).end('go on\n');
  const arrived = await text(child.stdout as NodeJS.ReadableStream);
  return { said: said.toString('utf8'), arrived: arrived.split('\n').slice(0, -1) };
}
