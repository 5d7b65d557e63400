/**
 * Many changes at once: when all statuses are right, and whether the writes kept to the rate limit. Half of the
 * consumers get another id and stay in force; half get a credential that is not there and are in force no more.
 */
import { progress } from '../report.ts';
import { forEach } from './api-writes.ts';
import type { ConditionWatch } from './condition-watch.ts';
import { figuresTable, type PartReport } from './figures.ts';
import type { Stage } from './stage.ts';
import { consumerName, consumerRef } from './world.ts';

const targetS = 30;
const concurrency = 32;
const deadlineMs = 120_000;
/** The defaults of --apiserver-qps and --apiserver-burst. */
const limit = { qps: 100, burst: 300 };
/** Writes are counted when the watch shows them; on the way they may draw this much closer together, in milliseconds. */
const jitterMs = 500;

/** The most writes that any stretch of time had beyond what a bucket of this size lets through in it; 0 for none. */
function beyondLimit(writtenAtMs: readonly number[], { qps, burst }: typeof limit): number {
  // A bucket with a hole, filled by the writes: how far it is ever overfull.
  let level = 0;
  let most = 0;
  let lastMs = writtenAtMs[0] ?? 0;
  for (const atMs of writtenAtMs) {
    level = Math.max(0, level - ((atMs - lastMs) / 1_000) * qps) + 1;
    most = Math.max(most, level);
    lastMs = atMs;
  }
  return Math.max(0, most - burst - (jitterMs / 1_000) * qps);
}

/** Writes in the busiest second. */
const busiestSecond = (writtenAtMs: readonly number[]): number =>
  Math.max(0, ...writtenAtMs.map((from) => writtenAtMs.filter((at) => at >= from && at < from + 1_000).length));

/** Changes consumers from the last one downwards, so that no other part of the bench meets them. */
export async function burstPart(
  { writes }: Stage,
  watch: ConditionWatch,
  { changes, consumers }: { readonly changes: number; readonly consumers: number },
): Promise<PartReport> {
  const numbers = Array.from({ length: changes }, (_, n) => consumers - 1 - n);
  watch.writtenAtMs.length = 0;
  const startedAtMs = performance.now();
  const rightAtMs: Promise<number>[] = [];
  await forEach(numbers, concurrency, async (i) => {
    const isBroken = i % 2 === 1;
    const patch = isBroken ? { credentials: ['absent'] } : { custom_id: `number-${i}` };
    const { metadata } = await writes.patch(consumerRef(i), patch);
    const isRight = (seen: { status: string; observedGeneration: number | undefined }): boolean =>
      seen.observedGeneration === metadata.generation && seen.status === (isBroken ? 'False' : 'True');
    const right = watch.until(consumerName(i), isRight, deadlineMs);
    right.catch(() => undefined); // awaited below, with the others
    rightAtMs.push(right);
  });
  const writtenS = (performance.now() - startedAtMs) / 1_000;
  progress(`${changes} changes written in ${writtenS.toFixed(1)} s`);
  const allRightS = (Math.max(...(await Promise.all(rightAtMs))) - startedAtMs) / 1_000;
  const { writtenAtMs } = watch;
  const beyond = beyondLimit(writtenAtMs, limit);
  return {
    tables: [
      figuresTable(
        `burst: ${changes} changes at once, half of them of broken objects`,
        [
          { name: 'changes written', unit: 's', value: writtenS },
          { name: 'all statuses right after the first write', unit: 's', value: allRightS, target: targetS },
          { name: 'status writes seen', unit: 'number', value: writtenAtMs.length },
          {
            name: 'in the busiest second',
            unit: 'number',
            value: busiestSecond(writtenAtMs),
            target: limit.burst + limit.qps,
          },
          { name: 'beyond the rate limit', unit: 'number', value: beyond, target: 0 },
        ],
        [`rate limit: ${limit.qps} a second, ${limit.burst} at once (the defaults)`],
      ),
    ],
    facts: { changes, targetS, writtenS, allRightS, statusWrites: writtenAtMs.length, beyondLimit: beyond, limit },
    failures: [],
  };
}
