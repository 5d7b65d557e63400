import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

const manifestName = /\.(?:ya?ml|json)$/;
/** Editors' backups and whatever is hidden, such as the `..data` of a mounted ConfigMap. */
const ignored = /^\.|~$|\.sw[a-z]$|^#.*#$|^4913$/;

/** Whether a file or directory is none of ours, by its name alone. */
export function isIgnored(path: string): boolean {
  return ignored.test(basename(path));
}

/** Whether a path names a file that may hold objects. */
export function isManifest(path: string): boolean {
  return manifestName.test(path) && !isIgnored(path);
}

/** Whether there is a directory at a path, symlinks followed. */
export async function isDirectoryAt(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Every manifest below a directory; a symlinked directory is followed, but never in a circle. */
export async function walk(dir: string, above: ReadonlySet<string> = new Set()): Promise<string[]> {
  const real = await realpath(dir);
  if (above.has(real)) return [];
  const entries = await readdir(dir, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter((entry) => !isIgnored(entry.name))
      .map(async (entry) => {
        const path = join(dir, entry.name);
        const isDirectory = entry.isDirectory() || (entry.isSymbolicLink() && (await isDirectoryAt(path)));
        if (isDirectory) return walk(path, new Set([...above, real]));
        return isManifest(path) ? [path] : [];
      }),
  );
  return found.flat();
}
