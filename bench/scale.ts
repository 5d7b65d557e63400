/**
 * Translate and table with very many objects: 100,000 Ingresses and 1,000,000 consumers, each with a key, out of
 * a generator. What it takes to translate all, what memory that costs, and what one change costs afterwards.
 *
 *   generator ──▶ seal ──▶ engine ──▶ table      (all in this one thread, as on the main thread of the product)
 *
 * Objects come in batches, as from a source that gives the pages of a list on, and are let go of by the
 * generator at once: the memory is the product's own.
 */
import { hash, randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { returnMemory } from '#gateway/return-memory.ts';
import { kindNamed } from '#resources/all-kinds.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { refOf } from '#resources/kind.ts';
import type { RecordedChange } from '#store/store.ts';
import { digestSecretBytes, makeDigest } from '#table/digest.ts';
import { createTable } from '#table/table.ts';
import { createEngine, type EngineOutput } from '#translate/engine.ts';
import { sealed, sealingWith } from '#translate/sealing.ts';
import { progress, type BenchReport } from './report.ts';
import { quantile } from './statistics.ts';

export interface ScaleOptions {
  readonly ingresses: number;
  readonly consumers: number;
  /** Changes of each kind that are measured once everything is there. */
  readonly changes: number;
}

/** As many as the API server gives in a page. */
const batchSize = 500;
/** Hosts that the Ingresses share. */
const hosts = 10_000;
const changeTargetMs = 5;
const restMs = 2_000;
const memoryTargetMB = 2_048;

function uidOf(name: string): string {
  const hex = hash('sha1', name, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const apiVersions = {
  Service: 'v1',
  Secret: 'v1',
  EndpointSlice: 'discovery.k8s.io/v1',
  Ingress: 'networking.k8s.io/v1',
  KongPlugin: 'configuration.konghq.com/v1',
  KongConsumer: 'configuration.konghq.com/v1',
} as const;

/** An object as the API server would send it. */
function object(kind: keyof typeof apiVersions, name: string, fields: object, metadata: object = {}): KubernetesObject {
  const written = {
    apiVersion: apiVersions[kind],
    kind,
    metadata: {
      name,
      namespace: 'default',
      uid: uidOf(`${kind}/${name}`),
      creationTimestamp: '2026-01-01T00:00:00Z',
      generation: 1,
      resourceVersion: '1',
      ...metadata,
    },
    ...fields,
  };
  // Texts in one piece, as a parser makes them: those of a template literal take more memory.
  return JSON.parse(JSON.stringify(written)) as KubernetesObject;
}

const ofClass = { annotations: { 'kubernetes.io/ingress.class': 'kong' } };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const ingress = (i: number, path = `/service-${i}`): KubernetesObject =>
  object(
    'Ingress',
    `ingress-${i}`,
    {
      spec: {
        ingressClassName: 'kong',
        rules: [
          {
            host: `host-${i % hosts}.example.com`,
            http: {
              paths: [{ path, pathType: 'Prefix', backend: { service: { name: 'echo', port: { number: 80 } } } }],
            },
          },
        ],
      },
    },
    { annotations: { 'konghq.com/plugins': 'key-auth' } },
  );

const secret = (i: number, key = `key-${i}`): KubernetesObject =>
  object(
    'Secret',
    `key-${i}`,
    { type: 'Opaque', data: { key: base64(key) } },
    { labels: { 'konghq.com/credential': 'key-auth' } },
  );

const consumer = (i: number, username = `user-${i}`): KubernetesObject =>
  object('KongConsumer', `user-${i}`, { username, credentials: [`key-${i}`] }, ofClass);

const shared = (): KubernetesObject[] => [
  object('Service', 'echo', { spec: { ports: [{ port: 80 }] } }),
  object(
    'EndpointSlice',
    'echo-1',
    { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ name: '', port: 80 }] },
    { labels: { 'kubernetes.io/service-name': 'echo' } },
  ),
  object('KongPlugin', 'key-auth', { plugin: 'key-auth' }),
];

/** The control side of the product, as pipeline.ts joins it. */
function startControlSide() {
  const sealing = sealingWith(makeDigest(randomBytes(digestSecretBytes)));
  const engine = createEngine({ ingressClass: 'kong' });
  const table = createTable();
  const toChange = (put: KubernetesObject): RecordedChange =>
    sealed({ type: 'put', ref: refOf(kindNamed(put.kind), put), object: put }, sealing);
  return {
    table,
    apply(objects: readonly KubernetesObject[]): EngineOutput {
      const output = engine.apply(objects.map(toChange));
      table.apply(output);
      return output;
    },
  };
}

type ControlSide = ReturnType<typeof startControlSide>;

const residentMB = (): number => process.memoryUsage.rss() / 2 ** 20;
const milliseconds = (value: number): string => value.toFixed(2);

/** Takes in what a generator makes, in batches; gives how long that took and how many objects are broken. */
function fill(side: ControlSide, count: number, make: (i: number) => KubernetesObject) {
  const startedMs = performance.now();
  let broken = 0;
  let mostMB = 0;
  for (let from = 0; from < count; from += batchSize) {
    const output = side.apply(Array.from({ length: Math.min(batchSize, count - from) }, (_, i) => make(from + i)));
    broken += output.verdicts.filter(({ problems }) => problems.length > 0).length;
    mostMB = Math.max(mostMB, residentMB());
  }
  return { seconds: (performance.now() - startedMs) / 1000, mostMB, broken };
}

/** What one change costs, spread over all objects; each must come to just its own roots. */
function measureChange(side: ControlSide, changes: number, make: (n: number) => KubernetesObject) {
  const times: number[] = [];
  let mostRoots = 0;
  for (let n = 0; n < changes; n += 1) {
    const put = make(n);
    const startedMs = performance.now();
    const { rootsRun } = side.apply([put]);
    times.push(performance.now() - startedMs);
    mostRoots = Math.max(mostRoots, rootsRun);
  }
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), max: Math.max(...times), mostRoots };
}

/** An order through all numbers below `count` that no cache foresees. */
const scattered = (n: number, count: number): number => (n * 618_033 + 11) % count;

function measureChanges(side: ControlSide, { ingresses, consumers, changes }: ScaleOptions) {
  const i = (n: number): number => scattered(n, ingresses);
  const c = (n: number): number => scattered(n, consumers);
  return {
    'an Ingress gets another path': measureChange(side, changes, (n) => ingress(i(n), `/changed-${n}`)),
    'a Secret gets another key': measureChange(side, changes, (n) => secret(c(n), `new-key-${n}`)),
    'a consumer gets another username': measureChange(side, changes, (n) => consumer(c(n), `new-user-${n}`)),
    'a new consumer': measureChange(side, changes, (n) => consumer(consumers + n)),
    'the plugin of all Ingresses': measureChange(side, changes, (n) =>
      object('KongPlugin', 'key-auth', { plugin: 'key-auth', config: { key_names: [`key-${n}`] } }),
    ),
  };
}

/** Gives memory back as the product does: when a start is over, and once more after a while. */
async function comeToRest(): Promise<void> {
  returnMemory();
  await setTimeout(restMs);
  returnMemory();
  await setTimeout(restMs);
}

/** See the head of this file. */
export async function scaleBench(options: ScaleOptions): Promise<BenchReport> {
  const side = startControlSide();
  side.apply(shared());
  const steps = {
    Ingresses: fill(side, options.ingresses, ingress),
    Secrets: fill(side, options.consumers, secret),
    consumers: fill(side, options.consumers, consumer),
  };
  for (const [name, { seconds, mostMB }] of Object.entries(steps)) {
    progress(`${name}: ${seconds.toFixed(1)} s, ${mostMB.toFixed(0)} MB`);
  }
  await comeToRest();
  const restMB = residentMB();
  const heapMB = process.memoryUsage().heapUsed / 2 ** 20;
  const changes = measureChanges(side, options);
  const mostMB = Math.max(...Object.values(steps).map((step) => step.mostMB));
  const slowestP99 = Math.max(...Object.values(changes).map(({ p99 }) => p99));
  const { credentials, entries } = side.table.sizes();
  const wanted = options.consumers;
  const seconds = Object.values(steps).reduce((sum, step) => sum + step.seconds, 0);
  return {
    facts: { ...options, steps, restMB, heapMB, mostMB, changes, credentials, entries },
    failures: [
      ...(credentials === wanted ? [] : [`${credentials} credentials are in force and not ${wanted}`]),
      // A Secret that comes before its consumer says that nobody lists it, until somebody does.
      ...(steps.consumers.broken === 0 ? [] : [`${steps.consumers.broken} objects are broken`]),
    ],
    tables: [
      {
        title: `${options.ingresses} Ingresses, ${options.consumers} consumers with keys`,
        columns: ['step', 'seconds', 'µs an object', 'resident MB'],
        rows: Object.entries(steps).map(([name, step]) => [
          name,
          step.seconds.toFixed(1),
          ((step.seconds * 1e6) / (name === 'Ingresses' ? options.ingresses : options.consumers)).toFixed(0),
          step.mostMB.toFixed(0),
        ]),
        notes: [
          `all of it: ${seconds.toFixed(1)} s; resident at most ${mostMB.toFixed(0)} MB (target ${memoryTargetMB}), ` +
            `at rest ${restMB.toFixed(0)} MB, of it heap ${heapMB.toFixed(0)} MB`,
        ],
      },
      {
        title: 'one change after that',
        columns: ['change', 'p50 ms', 'p99 ms', 'max ms', 'roots run'],
        rows: Object.entries(changes).map(([name, { p50, p99, max, mostRoots }]) => [
          name,
          ...[p50, p99, max].map(milliseconds),
          String(mostRoots),
        ]),
        notes: [`target: under ${changeTargetMs} ms; the slowest p99 is ${milliseconds(slowestP99)}`],
      },
    ],
  };
}
