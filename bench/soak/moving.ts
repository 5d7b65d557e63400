/** Files of the served directory that change back and forth, and what is surely in force of them. */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A file that has one of two texts. */
export interface Moving {
  readonly file: string;
  readonly versions: readonly [string, string];
  version: 0 | 1;
  /** When it was written last; Infinity while it is being written. */
  writtenAtMs: number;
}

export const moving = (file: string, versions: readonly [string, string]): Moving => ({
  file,
  versions,
  version: 0,
  writtenAtMs: -Infinity,
});

/** What was written this long ago must be in force, however busy the machine is. */
const graceMs = 1_500;

/** The version that a request which was sent then, and is answered now, must have met; undefined if it may be either. */
export const versionFor = ({ version, writtenAtMs }: Moving, sentMs: number): 0 | 1 | undefined =>
  writtenAtMs + graceMs <= sentMs ? version : undefined;

/** Replaces the file at once, as editors do. */
async function turn(item: Moving, dir: string): Promise<void> {
  item.writtenAtMs = Infinity;
  item.version = item.version === 0 ? 1 : 0;
  const next = join(dir, `.${item.file}.next`);
  await writeFile(next, item.versions[item.version]);
  await rename(next, join(dir, item.file));
  item.writtenAtMs = performance.now();
}

/** Turns one file after the other, so many a second, until told to stop; gives how many times. */
export async function turnFiles(
  files: readonly Moving[],
  { dir, perSecond, signal }: { readonly dir: string; readonly perSecond: number; readonly signal: AbortSignal },
): Promise<number> {
  const startedMs = performance.now();
  for (let n = 0; ; n += 1) {
    const aheadMs = startedMs + (n * 1_000) / perSecond - performance.now();
    if (aheadMs > 0) await pause(aheadMs);
    const item = files[n % files.length];
    if (signal.aborted || item === undefined) return n;
    await turn(item, dir);
  }
}
