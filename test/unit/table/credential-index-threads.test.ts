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
/** There all the time. */
const always = Array.from({ length: 6 }, (_, i) => i);
/** Coming and going all the time. */
const churned = Array.from({ length: 24 }, (_, i) => 100 + i);
/** There for one round, put when the slots near their homes are in use, so that they stand far from them. */
const guestsOf = (round: number): number[] => Array.from({ length: 8 }, (_, i) => 1_000 + round * 8 + i);

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
    applied: async (number: number) => wait(`message ${number} is applied`, () => state.applied >= number),
    report: async () => wait('the report', () => state.report),
    stop: async () => worker.terminate(),
  };
}

/** The index with the readers it is published to, as the pool does with patches. */
function startIndex(spareEntries: number) {
  const index = new CredentialIndex({ spareEntries });
  const threads = Array.from({ length: readers }, () => startReader({ churned }));
  const versions = new Map<number, number>();
  let published: SharedArrayBuffer | undefined;
  let memories = 0;
  let number = 0;

  const send = (message: ToReader): void => {
    for (const thread of threads) thread.send(message);
  };

  /** Hands on the memory if it is new. */
  const publish = (): void => {
    if (index.buffer === published) return;
    published = index.buffer;
    memories += 1;
    number += 1;
    send({ type: 'memory', number, buffer: published });
  };

  return {
    threads,
    /** Puts the next version of a key. */
    put(key: number): void {
      versions.set(key, (versions.get(key) ?? 0) + 1);
      index.put(entryOf(key, versions.get(key) ?? 0));
      publish();
    },
    remove(key: number): void {
      index.remove(entryOf(key, 1).digest);
      publish();
    },
    /** Tells what is true from now on and resolves when every reader knows. */
    async tell(there: readonly number[], gone: readonly number[]): Promise<void> {
      number += 1;
      const told = number;
      send({
        type: 'facts',
        number: told,
        facts: { there: there.map((key) => [key, versions.get(key) ?? 0]), gone },
      });
      await Promise.all(threads.map(async (thread) => thread.applied(told)));
    },
    async reports(): Promise<readonly ReaderReport[]> {
      send({ type: 'stop' });
      return Promise.all(threads.map(async (thread) => thread.report()));
    },
    memories: () => memories,
  };
}

type Started = ReturnType<typeof startIndex>;
type Random = (limit: number) => number;

const oneOf = (keys: readonly number[], random: Random): number => keys[random(keys.length)] ?? 0;

/** One change that looks random. */
function change(started: Started, there: readonly number[], random: Random): void {
  const kind = random(10);
  if (kind < 3) started.put(oneOf(there, random));
  else if (kind < 6) started.put(oneOf(churned, random));
  else if (kind < 9) started.remove(oneOf(churned, random));
  else {
    // Gone as soon as it came, and at once another takes its slot: what a reader has in hand must not change.
    const key = oneOf(churned, random);
    started.put(key);
    started.remove(key);
    started.put(oneOf(churned, random));
  }
}

/** A thousand changes without a pause; before them guests come, after them they go, and readers are told. */
async function runRound(started: Started, round: number, random: Random): Promise<void> {
  const guests = guestsOf(round);
  const there = [...always, ...guests];
  const gone = round === 0 ? [] : guestsOf(round - 1);
  for (const key of churned) started.put(key);
  for (const key of guests) started.put(key);
  await started.tell(there, gone);
  for (let i = 0; i < 1_000; i += 1) change(started, there, random);
  await started.tell(always, gone);
  for (const key of guests) started.remove(key);
  await started.tell(always, guests);
}

test.for([
  { title: 'ever new memory', spareEntries: 1, rounds: 60, leastMemories: 1_000 },
  { title: 'slots taken again and again', spareEntries: 2_000, rounds: 200, leastMemories: 50 },
])('readers are right at every moment: $title', async ({ spareEntries, rounds, leastMemories }) => {
  const started = startIndex(spareEntries);
  try {
    for (const key of always) started.put(key);
    const random = randomFrom(spareEntries);
    for (let round = 0; round < rounds; round += 1) await runRound(started, round, random);
    for (const report of await started.reports()) {
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
