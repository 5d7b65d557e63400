import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

const manifestName = /\.(?:ya?ml|json)$/;
/** Whatever is hidden, and editors' backups. */
const ignoredName = /^\.|~$|\.sw[a-z]$|^#.*#$/;

/** Whether a file or directory is none of ours, by its name alone. */
export function isIgnored(path: string): boolean {
  return ignoredName.test(basename(path));
}

/** Whether a path names a file that may hold objects. */
export function isManifest(path: string): boolean {
  return manifestName.test(path) && !isIgnored(path);
}

/** What is below a directory. */
export interface Walked {
  readonly files: string[];
  /** Directories that could not be read, and why: what they hold is unknown. */
  readonly unreadable: Map<string, string>;
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function walkInto(dir: string, above: ReadonlySet<string>, walked: Walked): Promise<void> {
  const real = await realpath(dir);
  if (above.has(real)) return;
  const inside = new Set([...above, real]);
  const entries = await readdir(dir, { withFileTypes: true });
  const visible = entries.filter((entry) => !isIgnored(entry.name));
  const visit = async (entry: (typeof visible)[number]): Promise<void> => {
    const path = join(dir, entry.name);
    // A directory with the name of a manifest is listed, too: reading it says what is wrong with it.
    if (isManifest(path)) walked.files.push(path);
    if (entry.isDirectory() || (entry.isSymbolicLink() && (await isDirectory(path))))
      await walkOrNote(path, inside, walked);
  };
  await Promise.all(visible.map(visit));
}

async function walkOrNote(dir: string, above: ReadonlySet<string>, walked: Walked): Promise<void> {
  await walkInto(dir, above, walked).catch((error: NodeJS.ErrnoException) => {
    // It went while we were walking; then so did what it held.
    if (error.code !== 'ENOENT') walked.unreadable.set(dir, error.code ?? error.message);
  });
}

/** Finds every manifest below a directory; a symlinked directory is followed, but never in a circle. */
export async function walk(dir: string): Promise<Walked> {
  const walked: Walked = { files: [], unreadable: new Map() };
  await walkOrNote(dir, new Set(), walked);
  return walked;
}
