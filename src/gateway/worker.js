/**
 * Where a worker thread starts; in JavaScript for the reason of `main.js`. A cache of compiled code must be switched on
 * in each thread, before it loads.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/latchkey', import.meta.url)));
await import('./worker-thread.ts');
