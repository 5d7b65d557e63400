/**
 * In the manner of the public Gateway API benchmark: a new Ingress answers 404 and then 200, with nothing in
 * between; an Ingress that is edited under load loses no request.
 */
import { loadGenerator } from '../load.ts';
import { guardedIngress, type Manifest } from '../manifests.ts';
import { progress } from '../report.ts';
import { figuresTable, spreadOf, type PartReport } from './figures.ts';
import type { Replica } from './installation.ts';
import type { Stage } from './stage.ts';
import { onWorkers, type Sight, type WorkerConnections } from './worker-connections.ts';
import { keyOf, serviceName } from './world.ts';

const key = keyOf(0);
const edits = 20;
const connections = 32;

/** The load runs wherever the system puts it: the API server needs a core as well. */
const anyCore = {
  onGatewayCore: (command: readonly string[]) => command,
  onLoadCore: (command: readonly string[]) => command,
  description: 'not pinned',
};

/** Creates Ingresses, one after the other, and looks at every answer until the first 200 on every worker. */
async function newRoutes({ writes }: Stage, workers: WorkerConnections, count: number) {
  const failures: string[] = [];
  const seenMs: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const sight: Sight = { path: `/new-${n}`, key, status: 200 };
    if (await workers.holds([sight])) failures.push(`new route ${n} was there before it was made`);
    await writes.create(guardedIngress(`new-${n}`, sight.path, serviceName(0)));
    const { ms, seen } = await workers.statusesUntil(sight, performance.now());
    seenMs.push(ms);
    const others = seen.filter((status) => status !== 404 && status !== 200);
    if (others.length > 0) failures.push(`new route ${n} answered ${others.join(', ')} on the way`);
  }
  return { spread: spreadOf(seenMs), failures };
}

/** The n-th version of the Ingress: its backend, annotations and other paths differ, `/edited` is always there. */
function version(n: number): Manifest {
  const backend = { service: { name: serviceName(n % 2), port: { number: 80 } } };
  const paths = ['/edited', `/version-${n}`].map((path) => ({ path, pathType: 'Prefix', backend }));
  const annotations = {
    'konghq.com/strip-path': String(n % 3 === 0),
    'konghq.com/regex-priority': n % 4 === 0 ? String(n) : null,
    'konghq.com/preserve-host': String(n % 5 === 0),
  };
  return { metadata: { annotations }, spec: { rules: [{ http: { paths } }] } };
}

/** Edits an Ingress while it is under load; each edit is awaited on every worker. */
async function editsUnderLoad({ writes }: Stage, workers: WorkerConnections, { origin }: Replica) {
  const ref = { kind: 'Ingress', namespace: 'default', name: 'edited' };
  await writes.create(guardedIngress('edited', '/edited', serviceName(0)));
  await workers.untilHold([{ path: '/edited', key, status: 200 }], performance.now());
  const generator = loadGenerator(anyCore);
  const load = { url: `${origin}/edited`, headers: { apikey: key }, expectedStatus: 200, connections } as const;
  let isOver = false;
  const running = generator.run({ ...load, seconds: 15 }).finally(() => (isOver = true));
  const seenMs: number[] = [];
  for (let n = 1; n <= edits; n += 1) {
    await writes.patch(ref, version(n));
    seenMs.push(await workers.untilHold([{ path: `/version-${n}`, key, status: 200 }], performance.now()));
  }
  const failures = isOver ? ['the load was over before the last edit'] : [];
  const { requests, errors, requestsPerSecond } = await running;
  if (errors > 0) failures.push(`${errors} of ${requests} requests were lost while the Ingress was edited`);
  return { spread: spreadOf(seenMs), requests, requestsPerSecond, lost: errors, failures, generator: generator.name };
}

export async function routesPart(stage: Stage, replica: Replica, count: number): Promise<PartReport> {
  progress(`${count} new routes`);
  const fresh = await onWorkers(replica, async (workers) => newRoutes(stage, workers, count));
  progress(`${edits} edits under load`);
  const edited = await onWorkers(replica, async (workers) => editsUnderLoad(stage, workers, replica));
  return {
    tables: [
      figuresTable(
        'routes: a new Ingress, and one that is edited under load',
        [
          { name: 'new Ingress to the first 200, p50', unit: 'ms', value: fresh.spread.p50 },
          { name: 'new Ingress to the first 200, p99', unit: 'ms', value: fresh.spread.p99 },
          {
            name: 'new Ingresses that answered anything but 404 and 200',
            unit: 'number',
            value: fresh.failures.length,
            target: 0,
          },
          { name: `requests lost in ${edits} edits under load`, unit: 'number', value: edited.lost, target: 0 },
          { name: 'requests in the meantime', unit: 'number', value: edited.requests },
          { name: 'an edit under that load in force, p50', unit: 'ms', value: edited.spread.p50 },
        ],
        [
          `${count} new Ingresses; ${edited.generator}, ${connections} connections, ${edited.requestsPerSecond.toFixed(0)} requests/s`,
        ],
      ),
    ],
    facts: { newRoutes: fresh.spread, edited },
    failures: [...fresh.failures, ...edited.failures],
  };
}
