/**
 * Loaded into the gateway and its workers with `--import`: at a signal the worker that has served longest dies of an
 * error that nobody catches, as it would of a bug of ours.
 *
 * Not by `worker.terminate()`, which stops a thread in the middle of anything.
 */
import { isMainThread, threadId, type Worker } from 'node:worker_threads';

const channel = new BroadcastChannel('latchkey-bench-kill');

/** Only while another serves: that none does for a moment is another matter. */
function killEldest(): void {
  const serving = new Set<Worker>();
  process.on('worker', (worker) => {
    worker.on('message', ({ type }: { readonly type?: unknown }) => {
      if (type === 'listening') serving.add(worker);
    });
    worker.once('exit', () => serving.delete(worker));
  });
  process.on('SIGUSR2', () => {
    const [eldest, ...others] = serving;
    if (others.length > 0) channel.postMessage(eldest?.threadId);
  });
}

function dieWhenTold(): void {
  channel.addEventListener('message', ({ data }) => {
    if (data !== threadId) return;
    // Between two turns of the event loop, where nothing is half done.
    setImmediate(() => {
      throw new Error('killed by the bench');
    });
  });
}

if (isMainThread) killEldest();
else dieWhenTold();
(channel as unknown as { unref(): void }).unref();
