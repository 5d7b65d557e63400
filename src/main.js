/**
 * The command line. This file and that of a worker are JavaScript, the only ones: types are stripped by a program that
 * Node loads for the first file which it has no stripped text of, and which stays, 13 MB in each thread. All other files
 * are in the cache that is switched on here.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Compiled code is kept beside the dependencies it belongs to (`scripts/setup.sh` fills it): loading takes a
// third of the time. Where nothing can be written there, nothing is kept.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/latchkey', import.meta.url)));

const { runCommandLine } = await import('./commands/command-line.ts');
process.exitCode = await runCommandLine(process.argv.slice(2));
