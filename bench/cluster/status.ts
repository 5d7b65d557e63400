/** From the API server's answer to a write to the condition `Programmed` on a watch: what `kubectl wait` waits for. */
import { setTimeout as pause } from 'node:timers/promises';
import { keySecret } from '../manifests.ts';
import { progress } from '../report.ts';
import type { ConditionWatch, SeenCondition } from './condition-watch.ts';
import { figuresTable, spreadOf, type PartReport } from './figures.ts';
import type { Stage } from './stage.ts';
import { consumerName, consumerRef, keyOf, secretRef } from './world.ts';

const targetP99Ms = 200;
const everyMs = 1_000;
const deadlineMs = 10_000;

interface StatusChange {
  readonly kind: string;
  /** Writes, and gives what the condition of the consumer says once it is right. */
  write(): Promise<(seen: SeenCondition) => boolean>;
}

/** What may happen to a consumer; afterwards it is as it was. */
const changesOf = ({ writes }: Stage, i: number): StatusChange[] => [
  {
    kind: 'consumer changed',
    async write() {
      const { metadata } = await writes.patch(consumerRef(i), { custom_id: `number-${i}` });
      return ({ status, observedGeneration }) => status === 'True' && observedGeneration === metadata.generation;
    },
  },
  {
    kind: 'its Secret deleted',
    async write() {
      await writes.remove(secretRef(i));
      return ({ status }) => status === 'False';
    },
  },
  {
    kind: 'its Secret added',
    async write() {
      await writes.create(keySecret(consumerName(i), keyOf(i)));
      return ({ status }) => status === 'True';
    },
  },
];

/** Makes so many changes, one a second. */
export async function statusPart(stage: Stage, watch: ConditionWatch, changes: number): Promise<PartReport> {
  const measured: { kind: string; ms: number }[] = [];
  const all = Array.from({ length: Math.ceil(changes / 3) }, (_, i) =>
    changesOf(stage, i + 1).map((change) => ({ ...change, name: consumerName(i + 1) })),
  ).flat();
  for (const [n, { kind, name, write }] of all.slice(0, changes).entries()) {
    if (n % 20 === 0) progress(`status ${n} of ${changes}`);
    const nextAtMs = performance.now() + everyMs;
    const isRight = await write();
    const sinceMs = performance.now();
    measured.push({ kind, ms: (await watch.until(name, isRight, deadlineMs)) - sinceMs });
    await pause(Math.max(0, nextAtMs - performance.now()));
  }
  const all_ = spreadOf(measured.map(({ ms }) => ms));
  const kinds = [...Map.groupBy(measured, ({ kind }) => kind)].map(([kind, some]) => ({
    kind,
    ...spreadOf(some.map(({ ms }) => ms)),
  }));
  return {
    tables: [
      figuresTable(
        "status: from the API server's answer to `Programmed` on a watch",
        [
          { name: 'p50', unit: 'ms', value: all_.p50 },
          { name: 'p99', unit: 'ms', value: all_.p99, target: targetP99Ms },
          { name: 'max', unit: 'ms', value: all_.max },
          ...kinds.map(({ kind, p50 }) => ({ name: `${kind}, p50`, unit: 'ms' as const, value: p50 })),
        ],
        [`${measured.length} changes, one a second`],
      ),
    ],
    facts: { targetP99Ms, all: all_, kinds },
    failures: [],
  };
}
