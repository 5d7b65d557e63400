/**
 * Latchkey on a real API server and etcd, installed with its chart, two workers.
 *
 *   bench (writes) ──▶ API server, etcd ──▶ Latchkey ──▶ pods
 *     └──▶ a keep-alive connection to each worker (asks), a watch (statuses)
 *
 * Everything shares the machine: on a small one, times are rather too long than too short.
 */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { burstPart } from './cluster/burst.ts';
import { watchConditions, type ConditionWatch } from './cluster/condition-watch.ts';
import { figuresTable, type PartReport } from './cluster/figures.ts';
import type { Replica, StartOptions } from './cluster/installation.ts';
import { kongTestPart } from './cluster/kong-test.ts';
import { propagationPart } from './cluster/propagation.ts';
import { residentMemory } from './resident-memory.ts';
import { routesPart } from './cluster/routes.ts';
import { onStage, type Stage } from './cluster/stage.ts';
import { startPart, targetResidentMB } from './cluster/start.ts';
import { statusPart } from './cluster/status.ts';
import { onWorkers, workers } from './cluster/worker-connections.ts';
import { consumerName, createWorld, firstSight, type WorldSize } from './cluster/world.ts';
import { progress, type BenchReport } from './report.ts';

export const clusterParts = ['start', 'propagation', 'status', 'burst', 'routes', 'kong-test'] as const;
type ClusterPart = (typeof clusterParts)[number];

export interface ClusterOptions {
  readonly parts: readonly ClusterPart[];
  readonly size: WorldSize;
  /** Changes of each kind. */
  readonly changes: number;
  readonly statusChanges: number;
  readonly burst: number;
  readonly newRoutes: number;
  readonly starts: number;
  readonly kongSizes: readonly number[];
  /** Of the process that is measured. */
  readonly nodeFlags: readonly string[];
}

const settleDeadlineMs = 300_000;

/** Runs a replica that may write quickly until all statuses are there: what is measured later finds them so. */
async function settleStatuses({ installation, api }: Stage, { consumers }: WorldSize): Promise<void> {
  const replica = await installation.start({ args: ['--apiserver-qps=2000'] });
  const watch = watchConditions(api, 'KongConsumer');
  const names = Array.from({ length: consumers }, (_, i) => consumerName(i));
  await Promise.all(names.map(async (name) => watch.until(name, ({ status }) => status === 'True', settleDeadlineMs)));
  await watch.stop();
  await replica.stop();
}

/** What the parts share that need a running replica. */
interface Running {
  readonly stage: Stage;
  readonly replica: Replica;
  readonly watch: ConditionWatch;
}

async function runningParts(running: Running, options: ClusterOptions): Promise<PartReport[]> {
  const { stage, replica, watch } = running;
  const { parts, size } = options;
  const run: Partial<Record<ClusterPart, () => Promise<PartReport>>> = {
    propagation: async () => propagationPart(stage, replica, { size, ofEach: options.changes }),
    status: async () => statusPart(stage, watch, options.statusChanges),
    routes: async () => routesPart(stage, replica, options.newRoutes),
    burst: async () => burstPart(stage, watch, { changes: options.burst, consumers: size.consumers }),
  };
  const reports: PartReport[] = [];
  for (const part of ['propagation', 'status', 'routes', 'burst'] as const) {
    if (!parts.includes(part)) continue;
    progress(`part ${part}`);
    const report = await run[part]?.();
    if (report !== undefined) reports.push(report, memoryAfter(part, replica));
  }
  return reports;
}

function memoryAfter(part: ClusterPart, { pid }: Replica): PartReport {
  const memory = residentMemory(pid);
  const figures = [
    { name: 'resident now', unit: 'MB' as const, value: memory.nowMB, target: targetResidentMB },
    { name: 'resident at most so far', unit: 'MB' as const, value: memory.peakMB },
  ];
  return { tables: [figuresTable(`memory after ${part}`, figures)], facts: { part, memory }, failures: [] };
}

/** Starts a replica, hands it over with what watches it, and ends both whatever happens. */
async function onReplica<T>(stage: Stage, options: StartOptions, run: (running: Running) => Promise<T>): Promise<T> {
  const replica = await stage.installation.start(options);
  const watch = watchConditions(stage.api, 'KongConsumer');
  try {
    return await run({ stage, replica, watch });
  } finally {
    await watch.stop();
    await replica.stop();
  }
}

async function partsInWorld(options: ClusterOptions, startOptions: StartOptions): Promise<PartReport[]> {
  const { parts, size } = options;
  return onStage(async (stage) => {
    await createWorld(stage, size);
    progress('waiting for the first statuses');
    await settleStatuses(stage, size);
    const started = parts.includes('start') ? [await startPart(stage, options.starts, startOptions)] : [];
    if (!parts.some((part) => part !== 'start' && part !== 'kong-test')) return started;
    const reports = await onReplica(stage, startOptions, async (running) => {
      await onWorkers(running.replica, async (all) => all.untilHold([firstSight], performance.now()));
      await running.watch.until(consumerName(size.consumers - 1), () => true, settleDeadlineMs);
      return runningParts(running, options);
    });
    return [...started, ...reports];
  });
}

/** Runs the bench `cluster`. */
export async function clusterBench(options: ClusterOptions): Promise<BenchReport> {
  const startOptions: StartOptions = { nodeFlags: options.nodeFlags };
  const loadBefore = loadavg()[0];
  const reports: PartReport[] = [];
  if (options.parts.some((part) => part !== 'kong-test')) reports.push(...(await partsInWorld(options, startOptions)));
  if (options.parts.includes('kong-test')) reports.push(await kongTestPart(options.kongSizes, startOptions));
  return {
    tables: reports.flatMap(({ tables }) => tables),
    facts: {
      machine: { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version, loadBefore },
      ...options.size,
      workers,
      parts: reports.map(({ facts }) => facts),
    },
    failures: reports.flatMap(({ failures }) => failures),
  };
}
