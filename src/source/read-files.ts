import { isOverdue, type DueFile } from './due-files.ts';
import type { ReadFile } from './file-index.ts';
import { readFound, type Found, type ReadOptions } from './read-file.ts';
import type { FileProblem } from './source.ts';

/** As many reads at once as keep the disk busy without filling memory with texts. */
const maxReadsAtOnce = 32;

/** What is remembered of files from one reading to the next, by path. */
export interface FileMemory {
  readonly fingerprints: Map<string, string>;
  /** Why files cannot be read now. */
  readonly faults: Map<string, FileProblem>;
}

/** A file that somebody is writing to, and when to try again. */
interface BusyFile {
  readonly due: DueFile;
  readonly retryInMs: number;
}

/** What became of files that were to be read. */
export interface FilesRead {
  /** What those hold that have changed, by path. */
  readonly held: ReadonlyMap<string, ReadFile>;
  readonly busy: readonly BusyFile[];
}

async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const takeTurns = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: maxReadsAtOnce }, takeTurns));
}

function set<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function remember(file: string, found: Exclude<Found, { state: 'unchanged' | 'busy' }>, memory: FileMemory): ReadFile {
  set(memory.fingerprints, file, found.state === 'gone' ? undefined : found.fingerprint);
  set(memory.faults, file, found.state === 'read' ? undefined : found.problem);
  return found.state === 'read' ? found.manifest : found.state;
}

/**
 * While somebody is writing, what is gone may be the one half of a move whose other half is not there yet:
 * it is put off, too, so that an object which only moves is never gone.
 */
function putOffGone(files: readonly DueFile[], held: Map<string, ReadFile>, busy: BusyFile[]): void {
  if (busy.length === 0) return;
  const retryInMs = Math.min(...busy.map((file) => file.retryInMs));
  for (const due of files) {
    if (held.get(due.file) !== 'gone' || isOverdue(due)) continue;
    held.delete(due.file);
    busy.push({ due, retryInMs });
  }
}

/** Reads those of the files that have changed since `memory` was made, and updates it. */
export async function readFiles(
  files: readonly DueFile[],
  memory: FileMemory,
  when: ReadOptions['when'],
): Promise<FilesRead> {
  const held = new Map<string, ReadFile>();
  const busy: BusyFile[] = [];
  await forEach(files, async (due) => {
    const fingerprint = memory.fingerprints.get(due.file);
    const isLate = when === 'quiet' && isOverdue(due);
    const found = await readFound(due.file, { fingerprint, when: isLate ? 'now' : when });
    if (found.state === 'busy') busy.push({ due, retryInMs: found.retryInMs });
    else if (found.state !== 'unchanged') held.set(due.file, remember(due.file, found, memory));
  });
  putOffGone(files, held, busy);
  return { held, busy };
}
