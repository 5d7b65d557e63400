/** A program that logs many lines, tells when it has, and one more once it is told something. */
import { once } from 'node:events';
import { createLog } from '#telemetry/log.ts';

const lines = Number(process.argv[2]);
const log = await createLog({ level: 'info', format: 'json' });
for (let line = 0; line < lines; line += 1) log.info({ line }, 'x'.repeat(400));
process.stderr.write('0\n');
await once(process.stdin, 'data');
log.info({ line: lines }, 'the last');
await new Promise((resolve) => process.stdin.once('end', resolve));
