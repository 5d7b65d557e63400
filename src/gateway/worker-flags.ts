import v8 from 'node:v8';

/**
 * Flags of V8 for the threads that are started from now on; Node takes them for the whole process alone
 * (https://nodejs.org/api/worker_threads.html#new-workerfilename-options), and the main thread has its heap already.
 */
const workerFlags = [
  // The way of a request is a chain of many small functions of Node's and ours. With V8's own bounds (920 and 460) some of
  // them stay calls: a request that is forwarded takes 5 % more, a refusal 3 %.
  '--max-inlined-bytecode-size-cumulative=3000',
  '--max-inlined-bytecode-size=1000',
  // Short-lived memory, in MB. With 4 a request takes 4 % more; what V8 takes by itself makes nothing faster, and stays
  // resident: 278 MB with two busy workers instead of 204.
  '--max-semi-space-size=8',
  // V8 gives memory back where nothing has been asked for a while, and with it the shapes of objects of which there is
  // none just then, and all code that goes by them. The next requests are then slow for a second: with a core for all its
  // threads a p99 of 15 to 30 ms instead of 1.5. What it gave back is 17 MB of a worker, until the next load.
  '--no-memory-reducer',
];

/** To be called before the first worker starts. */
export function setWorkerFlags(): void {
  for (const flag of workerFlags) v8.setFlagsFromString(flag);
}
