import { programPath } from '../test/support/programs.ts';
import { goPrograms } from './peers/go-programs.ts';

/** Where servers are installed; Debian leaves these out of an ordinary user's PATH. */
const serverFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Path of an installed program, or undefined. */
export const findProgram = (name: string): string | undefined => programPath(name, [...serverFolders, goPrograms]);
