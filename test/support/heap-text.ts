import { once } from 'node:events';
import { readFileSync, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { LatchkeyProcess } from './latchkey-process.ts';

/** Flags of Node that let `heapText` ask for snapshots into a folder. */
export const heapFlags = (folder: string): string[] => ['--heapsnapshot-signal=SIGUSR2', `--diagnostic-dir=${folder}`];

/** All that is in the heap of the main thread of a process that was started with `heapFlags`. */
export async function heapText(latchkey: LatchkeyProcess, folder: string): Promise<string> {
  const watcher = watch(folder);
  latchkey.child.kill('SIGUSR2');
  await once(watcher, 'change');
  // V8 writes a snapshot without a pause: once the thread answers again, it is complete.
  await fetch(`http://127.0.0.1:${latchkey.statusPort}/healthz`);
  watcher.close();
  return readdirSync(folder)
    .filter((name) => name.endsWith('.heapsnapshot'))
    .map((name) => readFileSync(join(folder, name), 'latin1'))
    .join('\n');
}
