/**
 * The performance test of Kong's controller (its test/e2e/performance_basic_test.go) at its sizes: n times
 * {Ingress with a host, KongPlugin of its own, KongConsumer, Secret}, one Service. Kong's looks at 12 of the
 * routes; this looks at all of them.
 */
import { Agent } from 'undici';
import type { Manifest } from '../manifests.ts';
import { consumer, keySecret } from '../manifests.ts';
import { progress } from '../report.ts';
import { median } from '../statistics.ts';
import { forEach } from './api-writes.ts';
import type { PartReport } from './figures.ts';
import type { Replica, StartOptions } from './installation.ts';
import { residentMemory } from '../resident-memory.ts';
import { onStage, type Stage } from './stage.ts';
import { onWorkers, type WorkerConnections } from './worker-connections.ts';
import { consumerName, keyOf, podService } from './world.ts';

const service = 'httpbin';
const updates = 20;
const askers = 16;
const deadlineMs = 600_000;

const hostOf = (i: number): string => `example-${i}.com`;
const pluginName = (i: number): string => `auth-plugin-${i}`;

function ingressRules(i: number, path: string): object[] {
  const backend = { service: { name: service, port: { number: 80 } } };
  return [{ host: hostOf(i), http: { paths: [{ path, pathType: 'Exact', backend }] } }];
}

/** The four objects of a number, in the order of Kong's test. */
function rule(i: number): Manifest[] {
  const annotations = { 'konghq.com/plugins': pluginName(i) };
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: `test-ingress-${i}`, namespace: 'default', annotations },
      spec: { ingressClassName: 'kong', rules: ingressRules(i, '/get') },
    },
    {
      apiVersion: 'configuration.konghq.com/v1',
      kind: 'KongPlugin',
      metadata: { name: pluginName(i), namespace: 'default' },
      plugin: 'key-auth',
    },
    consumer(consumerName(i)),
    keySecret(consumerName(i), keyOf(i)),
  ];
}

/** Asks for every route, with its key and without, until all answer as they should. */
async function untilAllInEffect({ origin }: Replica, rules: number): Promise<void> {
  const dispatcher = new Agent({ connections: askers });
  const endMs = performance.now() + deadlineMs;
  const statusOf = async (i: number, headers: Record<string, string>): Promise<number> => {
    const options = { origin, path: '/get', method: 'GET', headers: { host: hostOf(i), ...headers } } as const;
    const { statusCode, body } = await dispatcher.request(options);
    await body.dump();
    return statusCode;
  };
  // The last comes first: once it is there, what is left to wait for is only the asking.
  const numbers = Array.from({ length: rules }, (_, i) => rules - 1 - i);
  await forEach(numbers, askers, async (i) => {
    while ((await statusOf(i, { apikey: keyOf(i) })) !== 200 || (await statusOf(i, {})) !== 401) {
      if (performance.now() > endMs) throw new Error(`${hostOf(i)} is not in effect after ${deadlineMs} ms`);
    }
  });
  await dispatcher.close();
}

interface Update {
  readonly writeMs: number;
  readonly effectMs: number;
}

/** Moves single Ingresses, as Kong's test does one: how long the write takes, and how long until it is in effect. */
async function updateSome({ writes }: Stage, connections: WorkerConnections, rules: number): Promise<Update[]> {
  const took: Update[] = [];
  for (let n = 0; n < updates; n += 1) {
    const i = Math.floor((n * rules) / updates);
    const ref = { kind: 'Ingress', namespace: 'default', name: `test-ingress-${i}` };
    const startedAtMs = performance.now();
    await writes.patch(ref, { spec: { rules: ingressRules(i, '/ip') } });
    const answeredAtMs = performance.now();
    const sights = [{ path: '/ip', host: hostOf(i), key: keyOf(i), status: 200 }];
    took.push({
      writeMs: answeredAtMs - startedAtMs,
      effectMs: await connections.untilHold(sights, answeredAtMs),
    });
  }
  return took;
}

function updateFigures(took: readonly Update[]) {
  const effects = took.map(({ effectMs }) => effectMs);
  return {
    updateMs: median(took.map(({ writeMs }) => writeMs)),
    updateInEffectMs: median(effects),
    slowestUpdateInEffectMs: Math.max(...effects),
  };
}

async function measureSize(rules: number, options: StartOptions) {
  progress(`Kong's test with ${rules}`);
  return onStage(async (stage) => {
    const [address = ''] = stage.pods.addresses;
    await stage.writes.createAll(podService(service, address, stage.pods.port));
    const replica = await stage.installation.start(options);
    const applyMs = await stage.writes.createAll(Array.from({ length: rules }, (_, i) => rule(i)).flat());
    const appliedAtMs = performance.now();
    await untilAllInEffect(replica, rules);
    const inEffectMs = performance.now() - appliedAtMs;
    progress(`applied in ${(applyMs / 1_000).toFixed(1)} s, in effect ${inEffectMs.toFixed(0)} ms later`);
    const updated = await onWorkers(replica, async (connections) => updateSome(stage, connections, rules));
    const { nowMB } = residentMemory(replica.pid);
    await replica.stop();
    return { rules, applyMs, inEffectMs, ...updateFigures(updated), residentMB: nowMB };
  });
}

/** Each size on a control plane of its own. */
export async function kongTestPart(sizes: readonly number[], options: StartOptions): Promise<PartReport> {
  const results: Awaited<ReturnType<typeof measureSize>>[] = [];
  for (const rules of sizes) results.push(await measureSize(rules, options));
  return {
    tables: [
      {
        title: "kong-test: the performance test of Kong's controller",
        columns: ['rules', 'apply s', 'all in effect ms', 'update ms', 'in effect ms', 'slowest ms', 'resident MB'],
        rows: results.map((result) => [
          String(result.rules),
          (result.applyMs / 1_000).toFixed(1),
          result.inEffectMs.toFixed(0),
          result.updateMs.toFixed(1),
          result.updateInEffectMs.toFixed(1),
          result.slowestUpdateInEffectMs.toFixed(1),
          result.residentMB.toFixed(0),
        ]),
        notes: [
          'a rule: an Ingress, a KongPlugin, a KongConsumer, a Secret; applied on 32 connections',
          'all in effect: after the last answer; each route was asked, with its key and without',
          `update: one Ingress, median of ${updates}; in effect: after the answer, on every worker`,
        ],
      },
    ],
    facts: { results },
    failures: [],
  };
}
