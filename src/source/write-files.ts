import { randomBytes } from 'node:crypto';
import { link, open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What is to become of a file. */
export interface PlannedFile {
  readonly file: string;
  /** Undefined: the file goes. */
  readonly text: string | undefined;
  /** Whether there is no such file yet, and must not be. */
  readonly isNew: boolean;
  /** Whether a new file is its owner's alone. */
  readonly isSecret: boolean;
}

interface Staged {
  readonly temporary: string;
  readonly target: string;
  readonly isNew: boolean;
}

/** A file that exists keeps its mode and, if we may, its owner. */
async function keepOwnership(handle: FileHandle, target: string): Promise<void> {
  const { mode, uid, gid } = await stat(target);
  await handle.chown(uid, gid).catch(() => undefined);
  await handle.chmod(mode & 0o7777);
}

async function fill(temporary: string, text: string, { target, ...planned }: PlannedFile & Staged): Promise<void> {
  // Nobody else may read it before its mode is what it shall be: it may hold keys.
  const handle = await open(temporary, 'wx', planned.isNew && !planned.isSecret ? 0o666 : 0o600);
  try {
    if (!planned.isNew) await keepOwnership(handle, target);
    await handle.writeFile(text, 'utf8');
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes the new text beside the file, under a hidden name that no watcher reads. */
async function stage(planned: PlannedFile, staged: Staged[]): Promise<void> {
  if (planned.text === undefined) return;
  // A link stays a link: what it points to is replaced.
  const target = planned.isNew ? planned.file : await realpath(planned.file);
  const temporary = join(dirname(target), `.latchkey-${randomBytes(9).toString('hex')}.tmp`);
  const entry = { temporary, target, isNew: planned.isNew };
  staged.push(entry);
  await fill(temporary, planned.text, { ...planned, ...entry });
}

/** Whoever reads the file meets the old text or the new one, never a part. */
async function commit({ temporary, target, isNew }: Staged): Promise<void> {
  if (!isNew) return rename(temporary, target);
  // Unlike a rename, a link never takes the place of a file that somebody else has just made.
  await link(temporary, target).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw error;
    await rename(temporary, target); // a file system without links
  });
}

/**
 * Writes, replaces and removes files. All is written out before the first file changes, so that a full
 * disk changes nothing.
 *
 * @throws what the file system has against it
 */
export async function writeFiles(planned: readonly PlannedFile[]): Promise<void> {
  const staged: Staged[] = [];
  try {
    for (const file of planned) await stage(file, staged);
    for (const file of staged) await commit(file);
    for (const { file, text } of planned) if (text === undefined) await rm(file, { force: true });
  } finally {
    for (const { temporary } of staged) await rm(temporary, { force: true });
  }
}
