import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];

process.once('exit', () => {
  // Retried, because a process that is being killed may still be writing.
  for (const path of made) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
});

/** A new empty directory that is gone when the bench ends, however it ends. */
export function scratchDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  made.push(path);
  return path;
}
