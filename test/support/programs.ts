import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where a program is on this machine, in PATH or in other folders; undefined where it is not installed. */
export const programPath = (name: string, others: readonly string[] = []): string | undefined =>
  [...(process.env['PATH'] ?? '').split(delimiter), ...others].map((folder) => join(folder, name)).find(isExecutable);

/** What a program prints. Rejects when it ends with another code than 0. */
export async function outputOf(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { timeout: 60_000, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
