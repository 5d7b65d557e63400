import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { setWorkerFlags } from '#gateway/worker-flags.ts';

/** What a new thread may use, in MB, its short-lived memory included. */
async function heapLimitMB(): Promise<number> {
  const code = `require('node:worker_threads').parentPort.postMessage(require('node:v8').getHeapStatistics())`;
  const [{ heap_size_limit: bytes }] = (await once(new Worker(code, { eval: true }), 'message')) as [
    { heap_size_limit: number },
  ];
  return bytes / 1024 / 1024;
}

test('a thread that starts later has less short-lived memory', async () => {
  const before = await heapLimitMB();
  setWorkerFlags();
  expect(await heapLimitMB()).toBeLessThan(before);
});
