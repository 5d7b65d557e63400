/**
 * A program that writes many lines and tells what it dropped; once it is told something it writes some more, for which
 * a pipe has no room, and ends.
 */
import { once } from 'node:events';
import { createLineWriter } from '#telemetry/line-writer.ts';

const [lines, more] = [Number(process.argv[2]), 200];
const writer = createLineWriter();
const write = (i: number): void => writer.write(`${i} ${'x'.repeat(400)}\n`);
for (let i = 0; i < lines; i += 1) write(i);
process.stderr.write(`${writer.takeDropped()}\n`);
await once(process.stdin, 'data');
for (let i = lines; i < lines + more; i += 1) write(i);
await writer.close();
process.exit(0);
