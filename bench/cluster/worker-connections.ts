/**
 * Connections to a gateway of which it is known which worker serves each: with one to each worker, what all of
 * them see is in force everywhere, at the price of little asking on a machine that is also what is measured.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'undici';
import type { Probe } from '../edits.ts';

/** Of the gateway: the chart's own default. */
export const workers = 2;

/** What a request must bring: a status and, where an endpoint was replaced, the pod that answers. */
export interface Sight extends Probe {
  readonly host?: string;
  readonly pod?: string;
}

/** Where the kernel deals connections at random, two workers are missed by as many once in 2 to the 64. */
const mostAttempts = 64;
const requestsToTell = 30;
/** How many times as much as any other: a worker that applies a patch or collects garbage uses a little, too. */
const clearly = 3;
/** Between two requests of a connection: without it, asking alone would keep two cores busy. */
const pauseMs = 1;
/** What is not in force after this is a failure. */
const deadlineMs = 30_000;
/** How often each connection looks again whether what it saw stays so. */
const repeats = 5;

/** What Node calls the threads that it starts for `new Worker` (`/proc/<pid>/task/<tid>/comm`). */
const workerThreadName = 'WorkerThread';

const ofThread = (pid: number, thread: string, file: string): string =>
  readFileSync(`/proc/${pid}/task/${thread}/${file}`, 'utf8').trim();

/**
 * The workers among the threads of a process. The main thread and V8's must not be told by what they use: just
 * after a start they are busier than a worker that one connection asks. @throws Error if it is another number
 */
function workerThreads(pid: number): string[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  const found = threads.filter((thread) => ofThread(pid, thread, 'comm') === workerThreadName);
  if (found.length !== workers) throw new Error(`${found.length} threads ${workerThreadName}, not ${workers}`);
  return found;
}

/** Nanoseconds of CPU that each of the threads has used: Documentation/scheduler/sched-stats.rst. */
const cpuTimes = (pid: number, threads: readonly string[]): number[] =>
  threads.map((thread) => Number(ofThread(pid, thread, 'schedstat').split(' ')[0]));

async function answer(client: Client, { path, key, host }: Sight) {
  const headers = { ...(key === undefined ? {} : { apikey: key }), ...(host === undefined ? {} : { host }) };
  const { statusCode, body } = await client.request({ method: 'GET', path, headers });
  return { statusCode, text: await body.text() };
}

/** The first that is not as it should be, in words; undefined when all hold. */
async function firstMiss(client: Client, sights: readonly Sight[]): Promise<string | undefined> {
  for (const sight of sights) {
    const { statusCode, text } = await answer(client, sight);
    if (statusCode !== sight.status) return `${sight.path} answers ${statusCode} and not ${sight.status}: ${text}`;
    const pod = sight.pod === undefined ? undefined : (JSON.parse(text) as { pod: string }).pod;
    if (pod !== sight.pod) return `${sight.path} is answered by ${pod} and not ${sight.pod}`;
  }
  return undefined;
}

/** The worker that serves this connection: the one that used by far the most while only it asked, if there is one. */
async function threadOf(client: Client, pid: number, threads: readonly string[]): Promise<string | undefined> {
  const before = cpuTimes(pid, threads);
  for (let i = 0; i < requestsToTell; i += 1) await answer(client, { path: '/nowhere', status: 404 });
  const used = cpuTimes(pid, threads).map((time, i) => time - (before[i] ?? 0));
  const [most = 0, next = 0] = used.toSorted((a, b) => b - a);
  return most > clearly * next ? threads[used.indexOf(most)] : undefined;
}

async function untilHold(client: Client, sights: readonly Sight[], sinceMs: number): Promise<number> {
  for (;;) {
    const miss = await firstMiss(client, sights);
    if (miss === undefined) return performance.now() - sinceMs;
    if (performance.now() - sinceMs > deadlineMs) throw new Error(`not in force after ${deadlineMs} ms: ${miss}`);
    await pause(pauseMs);
  }
}

async function assertStays(client: Client, sights: readonly Sight[]): Promise<void> {
  for (let i = 0; i < repeats; i += 1) {
    const miss = await firstMiss(client, sights);
    if (miss !== undefined) throw new Error(`was in force, and then no longer: ${miss}`);
  }
}

async function oneForEachWorker(origin: string, pid: number): Promise<Client[]> {
  const threads = workerThreads(pid);
  const clients = new Map<string, Client>();
  for (let attempt = 0; clients.size < workers; attempt += 1) {
    if (attempt > mostAttempts) throw new Error(`${attempt} connections did not reach ${workers} workers`);
    const client = new Client(origin);
    const thread = await threadOf(client, pid, threads);
    if (thread === undefined || clients.has(thread)) await client.close();
    else clients.set(thread, client);
  }
  // It would connect again by itself, to whichever worker it meets; this way whoever asks next is told that it is gone.
  for (const client of clients.values()) client.once('disconnect', () => void client.destroy());
  return [...clients.values()];
}

async function connectWorkers(origin: string, pid: number) {
  const clients = await oneForEachWorker(origin, pid);
  return {
    /** Whether all hold on some connection. */
    holds: async (sights: readonly Sight[]): Promise<boolean> =>
      (await firstMiss(clients[0] as Client, sights)) === undefined,

    /** Asks until all hold on each connection, looks whether that stays so; gives the time since. @throws Error */
    async untilHold(sights: readonly Sight[], sinceMs: number): Promise<number> {
      const seenMs = await Promise.all(clients.map(async (client) => untilHold(client, sights, sinceMs)));
      await Promise.all(clients.map(async (client) => assertStays(client, sights)));
      return Math.max(...seenMs);
    },

    /** Asks until the answer has this status on each connection; gives the statuses on the way, all of them. */
    async statusesUntil(sight: Sight, sinceMs: number) {
      const seen: number[] = [];
      const untilSeen = async (client: Client): Promise<number> => {
        for (;;) {
          const { statusCode } = await answer(client, sight);
          if (!seen.includes(statusCode)) seen.push(statusCode);
          if (statusCode === sight.status) return performance.now() - sinceMs;
          if (performance.now() - sinceMs > deadlineMs) throw new Error(`still ${statusCode} after ${deadlineMs} ms`);
          await pause(pauseMs);
        }
      };
      return { ms: Math.max(...(await Promise.all(clients.map(untilSeen)))), seen };
    },

    close: async (): Promise<unknown> => Promise.all(clients.map(async (client) => client.destroy())),
  };
}

export type WorkerConnections = Awaited<ReturnType<typeof connectWorkers>>;

/** Connects to each worker of a gateway, hands the connections over, and closes them whatever happens. */
export async function onWorkers<T>(
  { origin, pid }: { readonly origin: string; readonly pid: number },
  run: (connections: WorkerConnections) => Promise<T>,
): Promise<T> {
  const connections = await connectWorkers(origin, pid);
  try {
    return await run(connections);
  } finally {
    await connections.close();
  }
}
