/** Loads everything that serving loads, once, so that its compiled code is in the cache before the first start. */
import { enableCompileCache } from 'node:module';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const cache = join(root, 'node_modules', '.cache', 'latchkey');
enableCompileCache(cache);
await import('#commands/command-line.ts');
await import('#commands/serve-quickstart.ts');
await import('#pipeline.ts');
await import('#translate/engine.ts');
await import('#translate/sealing.ts');
await import('#source/directory.ts');
await import('#commands/check-directory.ts');
await import('#commands/report.ts');
await import('#commands/cluster-setup.ts');
await import('@kubernetes/client-node'); // in a process of its own: source/kubeconfig-reader.ts
await import('#admin/server.ts');
await import('#admin/probes.ts');
// It is for a thread, and fails here; by then all that it needs is loaded.
await import('#gateway/worker-thread.ts').catch(() => undefined);
await import('pino-pretty');
// What is started itself runs a command.
spawnSync(process.execPath, [join(root, 'src', 'main.ts'), 'version'], {
  env: { ...process.env, NODE_COMPILE_CACHE: cache },
});
