import { renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a file that a process watches, as careful programs do: under a hidden name, then renamed. One that is
 * truncated and filled may be found empty, by who watches, for as long as the machine is busy.
 */
export function replaceFile(file: string, text: string): void {
  const next = join(dirname(file), `.${basename(file)}.next`);
  writeFileSync(next, text);
  renameSync(next, file);
}
