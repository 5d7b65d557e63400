import { readFile, stat } from 'node:fs/promises';
import { ManifestSyntaxError, readManifest, type Manifest } from './manifest-file.ts';
import type { FileProblem } from './source.ts';

/** Nobody writes so much YAML by hand, and reading it would stall everything else. */
const maxFileBytes = 16 * 1024 * 1024;

/** What stands at a path that ends like a manifest. */
export type Found = { readonly manifest: Manifest | undefined } | { readonly problem: FileProblem } | 'empty';

/** Reads a file; one that is not there holds nothing. Never throws. */
export async function readFound(file: string, mayBeEmpty: boolean): Promise<Found> {
  const fault = (message: string): Found => ({ problem: { file, line: 1, message, isError: true } });
  try {
    const before = await stat(file);
    if (!before.isFile()) return before.isDirectory() ? fault('is a directory, not a file') : { manifest: undefined };
    if (before.size === 0 && !mayBeEmpty) return 'empty';
    if (before.size > maxFileBytes) return fault(`is larger than ${maxFileBytes / 1024 / 1024} MiB and is not read`);
    return { manifest: readManifest(file, await readFile(file, 'utf8')) };
  } catch (error) {
    if (error instanceof ManifestSyntaxError) return { problem: error.problem };
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { manifest: undefined };
    return fault((error as Error).message);
  }
}
