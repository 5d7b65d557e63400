/**
 * Connections to a gateway of which it is known which worker serves each: with one to each worker, what all of
 * them see is in force everywhere, at the price of little asking on a machine that is also what is measured.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'undici';
import type { Probe } from '../edits.ts';

/** What a request must bring: a status and, where an endpoint was replaced, the pod that answers. */
export interface Sight extends Probe {
  readonly host?: string;
  readonly pod?: string;
}

/** Where the kernel deals connections at random, two workers are missed by as many once in 2 to the 64. */
const mostAttempts = 64;
const requestsToTell = 30;
/** Between two requests of a connection: without it, asking alone would keep two cores busy. */
const pauseMs = 1;
/** What is not in force after this is a failure. */
const deadlineMs = 30_000;
/** How often each connection looks again whether what it saw stays so. */
const repeats = 5;

/** Nanoseconds of CPU that each thread of a process has used: Documentation/scheduler/sched-stats.rst. */
function threadTimes(pid: number): Map<string, number> {
  const threads = readdirSync(`/proc/${pid}/task`);
  const timeOf = (thread: string): number =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return new Map(threads.map((thread) => [thread, timeOf(thread)]));
}

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

/** The thread that serves this connection: the one that got the most to do while only it asked. */
async function threadOf(client: Client, pid: number): Promise<string> {
  const before = threadTimes(pid);
  for (let i = 0; i < requestsToTell; i += 1) await answer(client, { path: '/nowhere', status: 404 });
  const used = [...threadTimes(pid)].map(([thread, time]) => [thread, time - (before.get(thread) ?? 0)] as const);
  return used.reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0] as const)[0];
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

async function oneForEachWorker(origin: string, pid: number, workers: number): Promise<Client[]> {
  const clients = new Map<string, Client>();
  for (let attempt = 0; clients.size < workers; attempt += 1) {
    if (attempt > mostAttempts) throw new Error(`${attempt} connections did not reach ${workers} workers`);
    const client = new Client(origin);
    const thread = await threadOf(client, pid);
    if (clients.has(thread)) await client.close();
    else clients.set(thread, client);
  }
  return [...clients.values()];
}

/** One keep-alive connection to each worker of a gateway. */
export async function connectWorkers(origin: string, pid: number, workers: number) {
  const clients = await oneForEachWorker(origin, pid, workers);
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

    close: async (): Promise<unknown> => Promise.all(clients.map(async (client) => client.close())),
  };
}

export type WorkerConnections = Awaited<ReturnType<typeof connectWorkers>>;
