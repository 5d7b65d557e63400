import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { goPrograms } from './peers/go-programs.ts';

/** Where servers are installed; Debian leaves these out of an ordinary user's PATH. */
const serverFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Path of an installed program, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...serverFolders, goPrograms];
  return folders.map((folder) => join(folder, name)).find((path) => isExecutable(path));
}
