/** Where a worker thread starts. A cache of compiled code must be switched on in each thread, before it loads. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
await import('./worker-thread.ts');
