/** A program that writes many lines, tells what it dropped, and writes the rest once it is told something. */
import { once } from 'node:events';
import { createLineWriter } from '#telemetry/line-writer.ts';

const lines = Number(process.argv[2]);
const writer = createLineWriter();
for (let i = 0; i < lines; i += 1) writer.write(`${i} ${'x'.repeat(400)}\n`);
process.stderr.write(`${writer.takeDropped()}\n`);
await once(process.stdin, 'data');
await writer.close();
process.exit(0);
