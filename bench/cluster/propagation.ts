/**
 * From the API server's answer to a write to its enforcement on every worker.
 *
 *   answer ──▶ (watch, translate, patch) ──▶ the connection to the slowest worker sees the new behaviour
 */
import { progress } from '../report.ts';
import { changesOf, type ClusterChange } from './changes.ts';
import { spreadOf, type PartReport } from './figures.ts';
import type { Replica } from './installation.ts';
import type { Stage } from './stage.ts';
import { onWorkers, type WorkerConnections } from './worker-connections.ts';
import type { WorldSize } from './world.ts';

const targetMs = { p50: 15, p99: 50 };

async function measure({ write, sights }: ClusterChange, connections: WorkerConnections): Promise<number> {
  if (await connections.holds(sights)) throw new Error('was in force before it was made');
  await write();
  return connections.untilHold(sights, performance.now());
}

/** Makes the changes, one after the other. */
async function measureAll(changes: readonly ClusterChange[], connections: WorkerConnections) {
  const measured: { kind: string; ms: number }[] = [];
  const failures: string[] = [];
  for (const [n, change] of changes.entries()) {
    if (n % 250 === 0) progress(`change ${n} of ${changes.length}`);
    try {
      measured.push({ kind: change.kind, ms: await measure(change, connections) });
    } catch (error) {
      failures.push(`change ${n} (${change.kind}): ${(error as Error).message}`);
    }
  }
  return { measured, failures };
}

export async function propagationPart(
  stage: Stage,
  replica: Replica,
  { size, ofEach }: { readonly size: WorldSize; readonly ofEach: number },
): Promise<PartReport> {
  const changes = changesOf(stage, size, ofEach);
  const { measured, failures } = await onWorkers(replica, async (workers) => measureAll(changes, workers));
  const groups = Map.groupBy(measured, ({ kind }) => kind);
  const results = [['all', measured] as const, ...groups].map(([kind, some]) => {
    const spread = spreadOf(some.map(({ ms }) => ms));
    return { kind, ...spread, targetMet: spread.p50 <= targetMs.p50 && spread.p99 <= targetMs.p99 };
  });
  return {
    tables: [
      {
        title: "propagation: from the API server's answer to enforcement on every worker",
        columns: ['changes', 'number', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms', 'target'],
        rows: results.map(({ kind, number, p50, p95, p99, max, targetMet }) => [
          kind,
          String(number),
          ...[p50, p95, p99, max].map((ms) => ms.toFixed(1)),
          targetMet ? 'met' : 'MISSED',
        ]),
        notes: [`target: p50 ≤ ${targetMs.p50} ms, p99 ≤ ${targetMs.p99} ms`],
      },
    ],
    facts: { targetMs, results },
    failures,
  };
}
