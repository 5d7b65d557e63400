import type { BigIntStats } from 'node:fs';
import { lstat, readFile, stat } from 'node:fs/promises';
import { readManifest, type Manifest } from './manifest-file.ts';
import { ManifestSyntaxError } from './manifest-text.ts';
import type { FileProblem } from './source.ts';

/** A file must have been quiet this long before it is read: writers often write in several steps. */
export const settleMs = 15;
/** An empty file is most often one that its writer has truncated and is about to fill. */
const emptySettleMs = 200;
/** Nobody writes so much by hand, and parsing it would stall everything else. */
const maxFileMiB = 16;

/** What stands at a path that is named like a manifest. */
export type Found =
  | {
      readonly state: 'read';
      readonly manifest: Manifest;
      /** What to compare with next time; undefined when the file was so young that it may change unseen. */
      readonly fingerprint: string | undefined;
    }
  | { readonly state: 'unchanged' }
  | { readonly state: 'busy'; readonly retryInMs: number }
  | { readonly state: 'gone'; readonly problem: FileProblem | undefined }
  /** What it held when it could last be read stays in force. */
  | { readonly state: 'unreadable'; readonly problem: FileProblem; readonly fingerprint: string | undefined };

/** What is known of a file and how to go about reading it. */
export interface ReadOptions {
  /** The fingerprint of what was read last: if it is the same, the file is not read. */
  readonly fingerprint: string | undefined;
  /** When it is quiet; now, whoever is writing to it; or now because nobody but us just wrote it. */
  readonly when: 'quiet' | 'now' | 'ours';
}

function fingerprintOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

/** For how long a file has yet to be quiet. One dated in the future says nothing; its clock is not ours. */
function busyMs({ mtimeNs, size }: BigIntStats): number {
  const ageMs = Date.now() - Number(mtimeNs / 1_000_000n);
  return ageMs < 0 ? 0 : (size === 0n ? emptySettleMs : settleMs) - ageMs;
}

function faultOf(found: BigIntStats): string | undefined {
  if (found.isDirectory()) return 'is a directory, not a file';
  if (!found.isFile()) return 'is not a regular file';
  if (found.size > maxFileMiB * 1024 * 1024) return `is larger than ${maxFileMiB} MiB and is not read`;
  return undefined;
}

const problemIn = (file: string, message: string): FileProblem => ({ file, line: 1, message, isError: true });

async function readText(file: string, before: BigIntStats, when: ReadOptions['when']): Promise<Found> {
  const text = await readFile(file, 'utf8');
  const after = await stat(file, { bigint: true });
  if (when === 'quiet' && fingerprintOf(after) !== fingerprintOf(before)) return { state: 'busy', retryInMs: settleMs };
  const fingerprint = busyMs(before) > 0 && when !== 'ours' ? undefined : fingerprintOf(before);
  try {
    return { state: 'read', manifest: readManifest(file, text), fingerprint };
  } catch (error) {
    if (error instanceof ManifestSyntaxError) return { state: 'unreadable', problem: error.problem, fingerprint };
    throw error;
  }
}

async function afterError(file: string, error: NodeJS.ErrnoException): Promise<Found> {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR')
    return { state: 'unreadable', problem: problemIn(file, error.message), fingerprint: undefined };
  const isDangling = await lstat(file).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  const problem = isDangling ? problemIn(file, 'is a symbolic link to nothing') : undefined;
  return { state: 'gone', problem };
}

/** Reads a file if it has changed since it was last read. Never throws for what a file system can do. */
export async function readFound(file: string, options: ReadOptions): Promise<Found> {
  try {
    const before = await stat(file, { bigint: true });
    const fault = faultOf(before);
    if (fault !== undefined) return { state: 'unreadable', problem: problemIn(file, fault), fingerprint: undefined };
    if (fingerprintOf(before) === options.fingerprint) return { state: 'unchanged' };
    const retryInMs = busyMs(before);
    if (retryInMs > 0 && options.when === 'quiet') return { state: 'busy', retryInMs };
    return await readText(file, before, options.when);
  } catch (error) {
    return afterError(file, error as NodeJS.ErrnoException);
  }
}
