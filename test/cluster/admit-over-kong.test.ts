/** Our CRDs over those of Kong: no object and no field is lost, whoever wrote it, and neither when it is written again. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { kindNamed } from '#resources/all-kinds.ts';
import { apiVersionOf, type KubernetesObject } from '#resources/kind.ts';
import { validateObject } from '#resources/validate.ts';
import { commandsFor, describeCluster } from '../support/cluster-context.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts';
import { definitions, objectApi } from '../support/custom-resources.ts';
import { kongDefinitions } from '../support/kong-definitions.ts';
import { manifestPath, readManifests } from '../support/manifests.ts';

const file = 'kong-users.yaml';
const secretKeyRef = { name: 'a', key: 'b' };
const hash = { input: 'ip', header: 'a', cookie: 'b', cookiePath: '/', queryArg: 'c', uriCapture: 'd' };
const healthy = { httpStatuses: [200], interval: 1, successes: 2 };
const unhealthy = { httpFailures: 1, httpStatuses: [500], interval: 2, tcpFailures: 3, timeouts: 4 };
const konnectRef = { type: 'konnectID', konnectID: 'id', konnectNamespacedRef: { name: 'a', namespace: 'b' } };

const at = (kind: string, name: string, fields: object): KubernetesObject => ({
  apiVersion: apiVersionOf(kindNamed(kind)),
  kind,
  metadata: { name, ...(kindNamed(kind).scope === 'Cluster' ? {} : { namespace: 'default' }) },
  ...fields,
});

/** Objects with every field that Kong's CRDs have; some break rules that were not there when they were stored. */
const full: readonly KubernetesObject[] = [
  at('KongConsumer', 'full', {
    username: 'full',
    custom_id: 'full-id',
    credentials: ['a', 'b'],
    consumerGroups: ['c'],
    spec: { controlPlaneRef: konnectRef, tags: ['d', 'e'.repeat(200)] },
  }),
  at('KongConsumer', 'nameless', { credentials: ['a'] }),
  at('KongConsumerGroup', 'full', { spec: { name: 'a', tags: ['b'], controlPlaneRef: konnectRef } }),
  ...['KongPlugin', 'KongClusterPlugin'].map((kind) =>
    at(kind, 'full', {
      plugin: 'rate-limiting',
      config: { a: { b: [1, null, { c: 'd' }] } },
      configFrom: { secretKeyRef: { ...secretKeyRef, ...(kind === 'KongClusterPlugin' ? { namespace: 'c' } : {}) } },
      configPatches: [
        {
          path: '/a',
          valueFrom: { secretKeyRef: { ...secretKeyRef, ...(kind === 'KongClusterPlugin' ? { namespace: 'c' } : {}) } },
        },
      ],
      disabled: true,
      protocols: ['http', 'tcp'],
      run_on: 'all',
      ordering: { before: { access: ['a'] }, after: { access: ['b'], body_filter: ['c'] } },
      instance_name: 'a',
      consumerRef: 'b',
    }),
  ),
  at('KongUpstreamPolicy', 'full', {
    spec: {
      algorithm: 'latency',
      slots: 100,
      hashOn: hash,
      hashOnFallback: hash,
      healthchecks: {
        threshold: 50,
        active: {
          type: 'https',
          concurrency: 2,
          headers: { a: ['b', 'c'] },
          httpPath: '/a',
          httpsSni: 'b.example',
          httpsVerifyCertificate: false,
          timeout: 3,
          healthy,
          unhealthy,
        },
        passive: { type: 'http', healthy, unhealthy },
      },
      stickySessions: { cookie: 'a', cookiePath: '/b' },
    },
  }),
  at('IngressClassParameters', 'full', { spec: { serviceUpstream: true, enableLegacyRegexDetection: true } }),
];

const condition = (type: string) => ({
  type,
  status: 'True',
  reason: type,
  message: 'theirs',
  lastTransitionTime: '2024-01-01T00:00:00Z',
  observedGeneration: 1,
});

function statusOf({ kind }: KubernetesObject): object | undefined {
  const conditions = [condition('Programmed'), condition('example.com/Theirs')];
  const ancestorRef = { group: '', kind: 'Service', namespace: 'default', name: 'echo', sectionName: 'http', port: 80 };
  if (kind === 'KongUpstreamPolicy')
    return { ancestors: [{ ancestorRef, controllerName: 'example.com/theirs', conditions }] };
  if (kind === 'IngressClassParameters') return undefined;
  const konnect = { id: 'a', serverURL: 'https://konnect.example', organizationID: 'b', controlPlaneID: 'c' };
  return kind.endsWith('Plugin') ? { conditions } : { conditions, konnect };
}

const withoutNews = (object: KubernetesObject): object => ({ ...object, metadata: object.metadata.name });

describeCluster('our CRDs over those of Kong', () => {
  const everything = [...readManifests(file), ...full];
  let plane: ControlPlane;
  let api: ReturnType<typeof objectApi>;
  const kubectl = async (args: readonly string[], input?: string) => commandsFor(plane.access).kubectl(args, input);
  const readAll = async () => Promise.all(everything.map(async (object) => (await api.read(object)).object));
  const established = async () => kubectl(['wait', '--for=condition=Established', '-f', definitions, '--timeout=60s']);
  const kongs = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: kongDefinitions });

  beforeAll(async () => {
    plane = await startControlPlane({ withControllerManager: false });
    api = objectApi(plane.access);
  });
  afterEach(async () => kubectl(['delete', '--ignore-not-found', '-f', definitions]));
  afterAll(async () => {
    await api.close();
    await plane.stop();
  });

  test.for([
    ['create', 'apply --server-side --force-conflicts'],
    ['apply --server-side --field-manager=helm', 'apply --server-side --force-conflicts'],
    ['apply', 'apply'],
  ] as const)('installed by kubectl %s, ours by kubectl %s: nothing is lost', async ([theirs, ours]) => {
    await kubectl([...theirs.split(' '), '-f', '-'], kongs);
    await established();
    await kubectl(['apply', '-f', manifestPath(file)]);
    for (const object of full) expect((await api.create(object, '?fieldValidation=Strict')).status).toBe(201);
    for (const object of everything) {
      const status = statusOf(object);
      if (status !== undefined) expect((await api.patchStatus(object, status)).status).toBe(200);
    }
    const before = await readAll();
    expect(before.find(({ metadata }) => metadata.name === 'full')).toMatchObject({ ...full[0], metadata: {} });

    await kubectl([...ours.split(' '), '-f', definitions]);
    // The API server serves the new schema when it publishes the new explanation.
    await expect
      .poll(async () => kubectl(['explain', 'kongconsumer']))
      .toContain(kindNamed('KongConsumer').crd?.description);
    expect(await readAll()).toEqual(before);

    // Written again, stored again. What breaks a rule that was not there when it was stored may be refused.
    const touched = await Promise.all(
      everything.map(async (object) => api.patch(object, { metadata: { labels: { touched: 'yes' } } })),
    );
    for (const [index, stored] of before.entries()) {
      const answer = touched[index];
      if (answer?.status === 200) expect(withoutNews(answer.object)).toEqual(withoutNews(stored));
      else expect(validateObject(kindNamed(stored.kind), stored)).not.toEqual([]);
    }
    expect(touched.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(readManifests(file).length);
    expect((await readAll()).map(withoutNews)).toEqual(before.map(withoutNews));
  });
});
