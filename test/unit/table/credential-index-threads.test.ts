/**
 * The credential index under threads: one writes without a pause, others read without a pause. What each
 * reader checks is in `credential-reader.ts`; here is what the writer does.
 */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { CredentialIndex } from '#table/credential-index.ts';
import type { FromReader, ReaderReport, ReaderSettings, ToReader } from '../../support/credential-reader.ts';
import { entryOf } from '../../support/numbered-credential.ts';
import { until } from '../../support/until.ts';

const readers = 2;
const always = Array.from({ length: 12 }, (_, i) => i);
const churned = Array.from({ length: 24 }, (_, i) => 100 + i);
const firstDoomed = 10_000;

/** Numbers below a limit that look random and are the same in every run. */
function randomFrom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** A reader thread, and what it told. */
function startReader(settings: ReaderSettings) {
  const worker = new Worker(new URL('../../support/credential-reader.ts', import.meta.url), { workerData: settings });
  const state: { applied: number; report?: ReaderReport; error?: unknown } = { applied: -1 };
  worker.on('message', (message: FromReader) => {
    if (message.type === 'applied') state.applied = message.number;
    else state.report = message;
  });
  worker.on('error', (error) => (state.error = error));

  const wait = async <T>(what: string, holds: () => T | undefined | false): Promise<T> =>
    until({
      what,
      subscribe: (check) => {
        worker.on('message', check).on('error', check);
        return () => worker.off('message', check).off('error', check);
      },
      holds: () => {
        if (state.error !== undefined) throw state.error;
        return holds();
      },
    });

  return {
    send: (message: ToReader): void => worker.postMessage(message),
    applied: async (number: number) => wait(`memory ${number} is applied`, () => state.applied >= number),
    report: async () => wait('the report', () => state.report),
    stop: async () => worker.terminate(),
  };
}

/** The index with the readers it is published to, as the pool does with patches. */
function startIndex(spareEntries: number) {
  const index = new CredentialIndex({ spareEntries });
  const threads = Array.from({ length: readers }, () => startReader({ always, churned }));
  const versions = new Map<number, number>();
  let published: SharedArrayBuffer | undefined;
  let memories = 0;

  const send = (message: ToReader): void => {
    for (const thread of threads) thread.send(message);
  };

  const publish = (): void => {
    if (index.buffer === published) return;
    published = index.buffer;
    memories += 1;
    send({ type: 'memory', number: memories, buffer: published });
  };

  return {
    threads,
    send,
    publish,
    /** Puts the next version of a key. */
    put(number: number): void {
      const version = (versions.get(number) ?? 0) + 1;
      versions.set(number, version);
      index.put(entryOf(number, version));
    },
    remove: (number: number): void => index.remove(entryOf(number, 1).digest),
    version: (number: number): number => versions.get(number) ?? 0,
    /** Resolves when every reader has the memory that is written to. */
    applied: async () => Promise.all(threads.map(async (thread) => thread.applied(memories))),
    memories: () => memories,
  };
}

type Started = ReturnType<typeof startIndex>;

/** One change that looks random. */
function change(started: Started, random: (limit: number) => number): void {
  const kind = random(10);
  const key = churned[random(churned.length)] ?? 0;
  if (kind < 3) started.put(always[random(always.length)] ?? 0);
  else if (kind < 6) started.put(key);
  else if (kind < 9) started.remove(key);
  else {
    // Gone as soon as it came, and at once another takes its slot: what a reader has in hand must not change.
    started.put(key);
    started.remove(key);
    started.put(churned[random(churned.length)] ?? 0);
  }
}

/** Changes without a pause, then tells what is true by now: `doomed` came and went. */
async function runRound(started: Started, random: (limit: number) => number, doomed: number): Promise<void> {
  const changes = 1_000;
  for (let i = 0; i < changes; i += 1) {
    if (i % 100 === 0) started.put(doomed);
    change(started, random);
    // Once a key is gone for good it must not come back with a new memory, nor when its slot is taken again.
    if (i === changes - 50) started.remove(doomed);
    started.publish();
  }
  await started.applied();
  const atLeast = always.map((number): [number, number] => [number, started.version(number)]);
  started.send({ type: 'facts', gone: [doomed], atLeast });
}

test.for([
  { title: 'ever new memory', spareEntries: 2, rounds: 40, leastMemories: 100 },
  { title: 'slots taken again and again', spareEntries: 2_000, rounds: 400, leastMemories: 10 },
])('readers are right at every moment: $title', async ({ spareEntries, rounds, leastMemories }) => {
  const started = startIndex(spareEntries);
  try {
    for (const number of always) started.put(number);
    started.publish();
    await started.applied();
    const random = randomFrom(spareEntries);
    for (let round = 0; round < rounds; round += 1) await runRound(started, random, firstDoomed + round);
    started.send({ type: 'stop' });
    const reports = await Promise.all(started.threads.map(async (thread) => thread.report()));
    for (const report of reports) {
      expect(report.violations).toStrictEqual([]);
      expect(report.found).toBeGreaterThan(1_000);
      expect(report.unknown).toBeGreaterThan(1_000);
      expect(report.newVersions).toBeGreaterThan(1_000);
    }
    expect(started.memories()).toBeGreaterThan(leastMemories);
  } finally {
    await Promise.all(started.threads.map(async (thread) => thread.stop()));
  }
});
