import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Compiled code is kept beside the dependencies it belongs to (`scripts/setup.sh` fills it): loading takes a third of
// the time, and what strips types, 13 MB of each thread that loads it, is not needed. So that it is not for this file
// either, the image and npm name the place in the environment, which workers get too. Where nothing can be written
// there, nothing is kept.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/latchkey', import.meta.url)));

const { runCommandLine } = await import('./commands/command-line.ts');
process.exitCode = await runCommandLine(process.argv.slice(2));
