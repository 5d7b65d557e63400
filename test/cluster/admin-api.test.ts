/** Kong's Admin API on a real API server: over HTTP, through the Kubernetes source, and seen with kubectl. */
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { sealingWith } from '#translate/sealing.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { connectKubernetes } from '#source/kubernetes-api.ts';
import { createKubernetesWriter } from '#source/kubernetes-write.ts';
import { kubernetesSource } from '#source/kubernetes.ts';
import type { Change, Source } from '#source/source.ts';
import { sealSecret } from '#store/seal.ts';
import { createStore } from '#store/store.ts';
import { makeDigest } from '#table/digest.ts';
import { ingressNamed, startAdmin, type TestAdmin } from '../support/admin.ts';
import { commandsFor, describeCluster } from '../support/cluster-context.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts';

const crds = resolve(import.meta.dirname, '../../crds');
const sealing = sealingWith(makeDigest(Buffer.alloc(32, 7))); // as startAdmin has it

describeCluster('the Admin API on a real API server', () => {
  let controlPlane: ControlPlane;
  let commands: ReturnType<typeof commandsFor>;
  let namespaces = 0;
  let namespace: string;
  let source: Source;
  let admin: TestAdmin;

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    commands = commandsFor(controlPlane.access);
    await commands.kubectl(['apply', '--server-side', '--filename', crds]);
    await commands.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  });
  afterAll(async () => controlPlane.stop());

  beforeEach(async () => {
    namespaces += 1;
    namespace = `admin-${namespaces}`;
    await commands.kubectl(['create', 'namespace', namespace]);
    const api = await connectKubernetes(controlPlane.access.kubeconfig);
    source = kubernetesSource({
      api,
      namespaces: [namespace],
      onHealth: () => undefined,
      writer: ({ untilObserved }) => createKubernetesWriter({ api, fieldManager: 'latchkey-admin', untilObserved }),
    });
    const store = createStore();
    const seal = (change: Change): Change =>
      change.type === 'put' && change.ref.kind === 'Secret'
        ? { ...change, object: sealSecret(change.object, sealing) }
        : change;
    await source.start({
      changes: (changes) => changes.forEach((change) => store.record(seal(change))),
      fileProblems: () => undefined,
    });
    // The clock of the API server gives the times of objects.
    admin = await startAdmin([], 'api server', { store, source, namespace, now: () => new Date() });
  });
  afterEach(async () => {
    await admin.close();
    await source.stop();
  });

  const list = async (kinds: string): Promise<KubernetesObject[]> => {
    const text = await commands.kubectl(['get', kinds, '-n', namespace, '-o', 'json', '--show-managed-fields']);
    return (JSON.parse(text) as { items: KubernetesObject[] }).items;
  };
  const writersOf = ({ metadata }: KubernetesObject): string[] =>
    ((metadata as { managedFields?: { manager: string; operation: string }[] }).managedFields ?? []).map(
      ({ manager, operation }) => `${manager} ${operation}`,
    );
  const applyIngress = async () => commands.apply(ingressNamed('mocking', { namespace }));
  const untilShown = async (line: string): Promise<void> =>
    expect.poll(async () => (await admin.call(line)).status).toBe(200);

  test('the tutorial: a consumer, a key, a plugin on a route, and away again', async () => {
    await applyIngress();
    await untilShown('GET /routes/mocking');

    const consumer = await admin.call('POST /consumers', 'username=Bob Smith&tags[]=gold');
    expect(consumer).toMatchObject({ status: 201, body: { username: 'Bob Smith', tags: ['gold'] } });
    const key = await admin.call('POST /consumers/Bob%20Smith/key-auth', 'key=a-key&ttl=600');
    expect(key).toMatchObject({ status: 201, body: { key: 'a-key', consumer: { id: consumer.body.id } } });
    const plugin = await admin.call('POST /routes/mocking/plugins', 'name=key-auth&config.key_names=apikey');
    expect(plugin).toMatchObject({ status: 201, body: { name: 'key-auth', config: { key_names: ['apikey'] } } });

    const [secret] = await list('secrets');
    const [written] = await list('kongconsumers');
    expect(written).toMatchObject({ username: 'Bob Smith', credentials: [secret?.metadata.name] });
    expect(key.body.id).toBe(secret?.metadata.uid);
    for (const object of [...(await list('secrets,kongplugins')), written]) {
      expect(object === undefined ? [] : writersOf(object)).toEqual(['latchkey-admin Apply']);
    }
    expect((await list('ingresses'))[0]?.metadata.annotations?.['konghq.com/plugins']).toBe('mocking-key-auth');

    expect((await admin.call('GET /consumers/Bob%20Smith/key-auth')).body.data).toMatchObject([{ key: 'a-key' }]);
    const changed = await admin.call(`PATCH /key-auths/${key.body.id}`, 'key=another');
    expect(changed).toMatchObject({ status: 200, body: { id: key.body.id, key: 'another' } });
    const put = await admin.call(`PUT /routes/mocking/plugins/${plugin.body.id}`, 'name=key-auth&enabled=false');
    expect(put).toMatchObject({ status: 200, body: { enabled: false } });
    expect((await list('kongplugins'))[0]).not.toHaveProperty('config');

    expect((await admin.call(`DELETE /routes/mocking/plugins/${plugin.body.id}`)).status).toBe(204);
    expect((await list('ingresses'))[0]?.metadata.annotations ?? {}).not.toHaveProperty(['konghq.com/plugins']);
    expect((await admin.call('DELETE /consumers/Bob%20Smith')).status).toBe(204);
    expect(await list('secrets,kongconsumers,kongplugins')).toEqual([]);
  });

  test('a key that was changed with kubectl is shown as it is now', async () => {
    await admin.call('POST /consumers', 'username=bob');
    await admin.call('POST /consumers/bob/key-auth', 'key=old');
    const [secret] = await list('secrets');
    const patch = JSON.stringify({ data: { key: btoa('new') } });
    await commands.kubectl(['patch', 'secret', secret?.metadata.name ?? '', '-n', namespace, '-p', patch]);
    expect((await admin.call('GET /consumers/bob/key-auth')).body.data).toMatchObject([{ key: 'new' }]);
  });

  test('requests at the same time on one consumer lose no key', async () => {
    await admin.call('POST /consumers', 'username=bob');
    const keys = [...Array(20).keys()].map((n) => `key-${n}`);
    const answers = await Promise.all(keys.map(async (key) => admin.call('POST /consumers/bob/key-auth', { key })));
    expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 201));
    expect((await list('kongconsumers'))[0]?.['credentials']).toHaveLength(20);
    const shown = (await admin.call('GET /consumers/bob/key-auth')).body.data as { key: string }[];
    expect(shown.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
  });

  test('in a namespace that is being deleted nothing is made, and it is told why', async () => {
    const kept = { name: 'kept', namespace, finalizers: ['example.com/kept'] };
    await commands.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: kept });
    await commands.kubectl(['delete', 'namespace', namespace, '--wait=false']);
    const refused = await admin.call('POST /consumers', 'username=bob');
    expect(refused.status).toBe(403);
    expect(refused.body.message).toMatch(/^refused by the Kubernetes API: .*is being terminated/);
    await commands.kubectl(['patch', 'configmap', 'kept', '-n', namespace, '-p', '{"metadata":{"finalizers":null}}']);
  });

  test('a namespace that is not there is named', async () => {
    const other = await startAdmin([], 'api server', { store: createStore(), source, namespace: 'nowhere' });
    expect(await other.call('POST /consumers', 'username=bob')).toMatchObject({
      status: 400,
      body: { message: 'there is no namespace "nowhere" to write to' },
    });
    await other.close();
  });

  test('a consumer that somebody else made meanwhile is a conflict, and theirs', async () => {
    const blind = await startAdmin([], 'api server', { store: createStore(), source, namespace });
    const annotations = { 'kubernetes.io/ingress.class': 'kong' };
    const metadata = { name: 'bob', namespace, annotations };
    await commands.apply({ apiVersion: 'configuration.konghq.com/v1', kind: 'KongConsumer', metadata, username: 'x' });
    expect(await blind.call('POST /consumers', 'username=bob')).toMatchObject({
      status: 409,
      body: { message: `KongConsumer ${namespace}/bob was made by somebody else meanwhile` },
    });
    expect((await list('kongconsumers'))[0]).toMatchObject({ username: 'x' });
    await blind.close();
  });
});
