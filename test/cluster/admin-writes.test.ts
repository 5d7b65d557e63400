/** What the API server makes of our writes: whose fields are whose, and that nobody loses anything. */
import { join, resolve } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import { connectKubernetes, type ApiRequest, type KubernetesConnection } from '#source/kubernetes-api.ts';
import { kubernetesSource } from '#source/kubernetes.ts';
import { createKubernetesWriter } from '#source/kubernetes-write.ts';
import type { Edit, Source } from '#source/source.ts';
import { commandsFor, describeCluster } from '../support/cluster-context.ts';
import { kubeconfigFor, startControlPlane, type ControlPlane } from '../support/control-plane.ts';
import { createSourceLog, type SourceLog } from '../support/source-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const fieldManager = 'latchkey-admin';
const crds = resolve(import.meta.dirname, '../../crds');

interface Entry {
  readonly manager: string;
  readonly operation: string;
  readonly fieldsV1: object;
}

describeCluster('writes of the Admin API as Kubernetes objects', () => {
  let controlPlane: ControlPlane;
  let commands: ReturnType<typeof commandsFor>;
  let namespaces = 0;
  let namespace: string;
  let log: SourceLog;
  let source: Source;

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    commands = commandsFor(controlPlane.access);
    await commands.kubectl(['apply', '--server-side', '--filename', crds]);
    await commands.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  });
  afterAll(async () => controlPlane.stop());

  const connect = async (kubeconfig = controlPlane.access.kubeconfig): Promise<KubernetesConnection> =>
    connectKubernetes(kubeconfig);

  /** A writer under which somebody else does something once, right before a request of ours. */
  const interrupted = async (isIt: (request: ApiRequest) => boolean, meanwhile: () => Promise<unknown>) => {
    const api = await connect();
    let isDone = false;
    const request = async <T>(asked: ApiRequest): Promise<T> => {
      if (!isDone && isIt(asked)) {
        isDone = true;
        await meanwhile();
      }
      return api.request<T>(asked);
    };
    return createKubernetesWriter({ api: { request }, fieldManager, untilObserved: async () => undefined });
  };

  beforeEach(async () => {
    namespaces += 1;
    namespace = `writes-${namespaces}`;
    await commands.kubectl(['create', 'namespace', namespace]);
    log = createSourceLog();
    const api = await connect();
    source = kubernetesSource({
      api,
      namespaces: [namespace],
      onHealth: () => undefined,
      writer: ({ untilObserved }) => createKubernetesWriter({ api, fieldManager, untilObserved }),
    });
    await source.start(log.listener);
  });
  afterEach(async () => source.stop());

  const refTo = (kind: string, name: string): Ref => ({ kind, namespace, name });
  const metadata = (name: string) => ({ name, namespace });
  const consumer = (fields: object = {}): KubernetesObject => ({
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongConsumer',
    metadata: { ...metadata('bob'), annotations: { 'kubernetes.io/ingress.class': 'kong' } },
    username: 'bob',
    ...fields,
  });
  const plugin = (config: object): KubernetesObject => ({
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongPlugin',
    metadata: metadata('guard'),
    plugin: 'key-auth',
    config,
  });
  const secret = (name = 'bob-key'): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...metadata(name),
      creationTimestamp: '2020-01-01T00:00:00Z',
      labels: { 'konghq.com/credential': 'key-auth' },
    },
    stringData: { key: 'a-key' },
  });
  const ingress = (path: string): KubernetesObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { ...metadata('web'), annotations: { 'example.com/team': 'blue' } },
    spec: {
      ingressClassName: 'kong',
      rules: [
        {
          http: { paths: [{ path, pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] },
        },
      ],
    },
  });

  const creating = (object: KubernetesObject): Edit => ({
    ref: refTo(object.kind, object.metadata.name),
    apply: (current) => {
      if (current !== undefined) throw new Error('there is one');
      return object;
    },
  });
  const changing = (ref: Ref, change: (current: KubernetesObject) => KubernetesObject | undefined): Edit => ({
    ref,
    apply: (current) => (current === undefined ? undefined : change(current)),
  });
  const namesOf = (object: KubernetesObject, field: string) => (object[field] as string[] | undefined) ?? [];
  const adding = (field: string, item: string): Edit =>
    changing(refTo('KongConsumer', 'bob'), (current) => ({ ...current, [field]: [...namesOf(current, field), item] }));
  const removing = (field: string, item: string): Edit =>
    changing(refTo('KongConsumer', 'bob'), (current) => ({
      ...current,
      [field]: namesOf(current, field).filter((name) => name !== item),
    }));
  const annotating = (name: string, text: string): Edit =>
    changing(refTo('Ingress', 'web'), (current) => ({
      ...current,
      metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, [name]: text } },
    }));

  const get = async (kind: string, name: string): Promise<KubernetesObject> =>
    JSON.parse(
      await commands.kubectl(['get', kind, name, '-n', namespace, '-o', 'json', '--show-managed-fields']),
    ) as KubernetesObject;
  const exists = async (kind: string, name: string): Promise<boolean> =>
    (await commands.tryKubectl(['get', kind, name, '-n', namespace])).code === 0;
  /** Everything that we own of an object, but for the version of its API. */
  const ours = (object: KubernetesObject): Entry[] =>
    ((object.metadata as { managedFields?: Entry[] }).managedFields ?? [])
      .filter(({ manager }) => manager === fieldManager)
      .map(({ manager, operation, fieldsV1 }) => ({ manager, operation, fieldsV1 }));
  const owning = (fieldsV1: object): Entry[] => [{ manager: fieldManager, operation: 'Apply', fieldsV1 }];
  const serverSide = async (object: KubernetesObject, ...flags: string[]) =>
    commands.tryKubectl(['apply', '--server-side', ...flags, '-f', '-'], JSON.stringify(object));

  test('a new Secret is labelled, holds its key, and is ours to the last field', async () => {
    await source.write([creating(secret())]);
    const written = await get('secret', 'bob-key');
    expect(written).toMatchObject({
      metadata: { labels: { 'konghq.com/credential': 'key-auth' } },
      type: 'Opaque',
      data: { key: btoa('a-key') },
    });
    expect(written.metadata.creationTimestamp).not.toContain('2020');
    expect(ours(written)).toEqual(
      owning({ 'f:metadata': { 'f:labels': { 'f:konghq.com/credential': {} } }, 'f:data': { 'f:key': {} } }),
    );
    expect(log.object(refTo('Secret', 'bob-key'))).toMatchObject({ data: { key: btoa('a-key') } });
  });

  test.for(['KongConsumer', 'KongPlugin', 'Secret'])(
    'a new %s that somebody else made first is theirs',
    async (kind) => {
      const object = { KongConsumer: consumer(), KongPlugin: plugin({ key_names: ['a'] }), Secret: secret('s') }[kind];
      if (object === undefined) throw new Error(kind);
      const theirs = { ...object, metadata: { ...object.metadata, annotations: { theirs: 'yes' } } };
      const writer = await interrupted(
        ({ method }) => method === 'PATCH',
        async () => commands.apply(theirs),
      );
      await expect(writer.write([creating(object)])).rejects.toThrow('there is one');
      const left = await get(kind, object.metadata.name);
      expect(left.metadata.annotations).toMatchObject({ theirs: 'yes' });
      expect(ours(left)).toEqual([]);
    },
  );

  test('an annotation is added to an Ingress without owning anything else of it', async () => {
    await commands.apply(ingress('/one'));
    await source.write([annotating('konghq.com/plugins', 'guard')]);
    const annotated = await get('ingress', 'web');
    expect(ours(annotated)).toEqual(owning({ 'f:metadata': { 'f:annotations': { 'f:konghq.com/plugins': {} } } }));
    await commands.apply(ingress('/two'));
    const applied = await get('ingress', 'web');
    expect(applied.metadata.annotations).toMatchObject({ 'konghq.com/plugins': 'guard', 'example.com/team': 'blue' });
    expect(JSON.stringify(applied['spec'])).toContain('/two');
    await source.write([annotating('konghq.com/plugins', 'guard, other')]);
    expect(JSON.stringify((await get('ingress', 'web'))['spec'])).toContain('/two');
  });

  test('kubectl apply --server-side does not conflict with an annotation that it does not state', async () => {
    expect(await serverSide(ingress('/one'))).toMatchObject({ code: 0 });
    await source.write([annotating('konghq.com/plugins', 'guard')]);
    expect(await serverSide(ingress('/two'))).toMatchObject({ code: 0 });
    expect((await get('ingress', 'web')).metadata.annotations).toMatchObject({ 'konghq.com/plugins': 'guard' });
  });

  test('an annotation of ours is taken away again, and one of somebody else too', async () => {
    await commands.apply(ingress('/one'));
    await source.write([annotating('konghq.com/plugins', 'guard')]);
    const without = (name: string): Edit =>
      changing(refTo('Ingress', 'web'), (current) => {
        const { [name]: _, ...annotations } = current.metadata.annotations ?? {};
        return { ...current, metadata: { ...current.metadata, annotations } };
      });
    await source.write([without('konghq.com/plugins')]);
    await source.write([without('example.com/team')]);
    const { annotations } = (await get('ingress', 'web')).metadata;
    expect(Object.keys(annotations ?? {})).toEqual(['kubectl.kubernetes.io/last-applied-configuration']);
  });

  test('items of a set are owned one by one, by whoever added them', async () => {
    await serverSide(consumer({ credentials: ['theirs'], consumerGroups: ['theirs'] }));
    await source.write([adding('credentials', 'ours')]);
    expect(ours(await get('kongconsumer', 'bob'))).toEqual(owning({ 'f:credentials': { 'v:"ours"': {} } }));

    expect(await serverSide(consumer({ credentials: ['theirs', 'second'] }))).toMatchObject({ code: 0, stderr: '' });
    expect((await get('kongconsumer', 'bob'))['credentials']).toEqual(
      expect.arrayContaining(['theirs', 'second', 'ours']),
    );

    await source.write([removing('credentials', 'ours')]);
    expect((await get('kongconsumer', 'bob'))['credentials']).toEqual(['theirs', 'second']);
    expect(ours(await get('kongconsumer', 'bob'))).toEqual([]);
  });

  test('an item that somebody else owns is removed, the others stay theirs', async () => {
    await serverSide(consumer({ credentials: ['a', 'b', 'c'] }));
    await source.write([adding('credentials', 'ours'), removing('credentials', 'b')]);
    const written = await get('kongconsumer', 'bob');
    expect(namesOf(written, 'credentials').toSorted()).toEqual(['a', 'c', 'ours']);
    expect(ours(written)).toEqual(owning({ 'f:credentials': { 'v:"ours"': {} } }));
  });

  test('the last item of ours goes from a set that somebody else has made empty', async () => {
    await serverSide(consumer({ credentials: [] }));
    await source.write([adding('credentials', 'ours')]);
    await source.write([removing('credentials', 'ours')]);
    expect(await get('kongconsumer', 'bob')).toMatchObject({ username: 'bob', credentials: [] });
  });

  test('an item is added once and another removed, though somebody writes in between', async () => {
    await serverSide(consumer({ credentials: ['old', 'theirs'] }));
    const writer = await interrupted(
      ({ contentType }) => contentType === 'application/json-patch+json',
      async () => commands.kubectl(['annotate', 'kongconsumer', 'bob', '-n', namespace, 'theirs=yes']),
    );
    await writer.write([adding('credentials', 'new'), removing('credentials', 'old')]);
    const written = await get('kongconsumer', 'bob');
    expect(namesOf(written, 'credentials').toSorted()).toEqual(['new', 'theirs']);
    expect(written.metadata.annotations).toMatchObject({ theirs: 'yes' });
  });

  test('fields of a plugin that somebody else applied are changed, added and removed', async () => {
    await serverSide(plugin({ key_names: ['a'], hide_credentials: true, key_in_body: true }));
    await source.write([
      changing(refTo('KongPlugin', 'guard'), (current) => ({
        ...current,
        config: { key_names: ['b', 'c'], key_in_body: true, anonymous: 'nobody' },
      })),
    ]);
    const written = await get('kongplugin', 'guard');
    expect(written['config']).toEqual({ key_names: ['b', 'c'], key_in_body: true, anonymous: 'nobody' });
    expect(ours(written)).toEqual(owning({ 'f:config': { 'f:key_names': {}, 'f:anonymous': {} } }));
  });

  test('what we made stays ours whole through changes, and goes when it is no longer stated', async () => {
    await source.write([creating(plugin({ key_names: ['a'], hide_credentials: true }))]);
    const change = (config: object): Edit => changing(refTo('KongPlugin', 'guard'), (now) => ({ ...now, config }));
    await source.write([change({ key_names: ['b'] })]);
    const written = await get('kongplugin', 'guard');
    expect(written['config']).toEqual({ key_names: ['b'] });
    expect(ours(written)).toEqual(owning({ 'f:plugin': {}, 'f:config': { 'f:key_names': {} } }));
  });

  test('a write that changes nothing writes nothing, and resolves', async () => {
    await commands.apply(ingress('/one'));
    const before = await get('ingress', 'web');
    await source.write([changing(refTo('Ingress', 'web'), (current) => current)]);
    expect((await get('ingress', 'web')).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });

  test('writers that write at the same time lose nothing, and kubectl loses nothing to them', async () => {
    await commands.apply(consumer(), ingress('/one'));
    const apis = await Promise.all([1, 2, 3].map(async () => connect()));
    const writers = apis.map((api) =>
      createKubernetesWriter({ api, fieldManager, untilObserved: async () => undefined }),
    );
    const numbers = [...Array(20).keys()];
    await Promise.all([
      ...numbers.map(async (n) => writers[n % 3]?.write([adding('credentials', `key-${n}`)])),
      ...numbers.map(async (n) => writers[n % 3]?.write([annotating(`example.com/n${n}`, 'x')])),
      commands.kubectl(['annotate', 'ingress', 'web', '-n', namespace, 'example.com/kubectl=x']),
    ]);
    expect(namesOf(await get('kongconsumer', 'bob'), 'credentials').toSorted()).toEqual(
      numbers.map((n) => `key-${n}`).toSorted(),
    );
    const annotations = Object.keys((await get('ingress', 'web')).metadata.annotations ?? {});
    expect(annotations).toEqual(expect.arrayContaining(numbers.map((n) => `example.com/n${n}`)));
    expect(annotations).toContain('example.com/kubectl');
    await Promise.all(apis.map(async (api) => api.close()));
  });

  /** A writer that may do what a Role says, on the same objects. */
  const writerAllowed = async (rules: readonly object[]) => {
    const kind = (name: string) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: name,
      metadata: metadata('w'),
    });
    await commands.apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata('w') },
      { ...kind('Role'), rules },
      {
        ...kind('RoleBinding'),
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'w' },
        subjects: [{ kind: 'ServiceAccount', name: 'w', namespace }],
      },
    );
    const token = await commands.kubectl(['create', 'token', 'w', '-n', namespace]);
    const { server, ca } = controlPlane.access;
    const file = join(temporaryFolder(), 'kubeconfig');
    await writeFile(file, kubeconfigFor(server, ca, token.trim()));
    return createKubernetesWriter({ api: await connect(file), fieldManager, untilObserved: async () => undefined });
  };
  const consumersOnly = { apiGroups: ['configuration.konghq.com'], resources: ['kongconsumers'], verbs: ['get'] };
  const secrets = { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'create', 'patch', 'delete'] };

  test('without the right to write the API server says which verb of what is missing', async () => {
    await commands.apply(consumer());
    const writer = await writerAllowed([consumersOnly]);
    await expect(writer.write([adding('credentials', 'x')])).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('cannot patch resource "kongconsumers" in API group "configuration.konghq.com"'),
    });
  });

  test('a Secret whose consumer could not be changed is not left behind', async () => {
    await commands.apply(consumer());
    const writer = await writerAllowed([consumersOnly, secrets]);
    await expect(writer.write([creating(secret()), adding('credentials', 'bob-key')])).rejects.toMatchObject({
      status: 403,
      message: expect.not.stringContaining('only a part'),
    });
    expect(await exists('secret', 'bob-key')).toBe(false);
  });

  test('what cannot be undone is told', async () => {
    await commands.apply(consumer(), secret());
    const writer = await writerAllowed([
      { ...consumersOnly, verbs: ['get', 'delete'] },
      { ...secrets, verbs: ['get'] },
    ]);
    const deleting = (kind: string, name: string): Edit => ({ ref: refTo(kind, name), apply: () => undefined });
    await expect(writer.write([deleting('KongConsumer', 'bob'), deleting('Secret', 'bob-key')])).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining(`only a part was made, and stays so: KongConsumer ${namespace}/bob is deleted`),
    });
  });

  test('a change is undone too', async () => {
    await commands.apply(ingress('/one'));
    const failing = creating({ ...secret(), metadata: { ...metadata('Not a Name') } });
    const ref = { ...failing, ref: refTo('Secret', 'Not a Name') };
    await expect(source.write([annotating('konghq.com/plugins', 'guard'), ref])).rejects.toMatchObject({ status: 422 });
    const { annotations } = (await get('ingress', 'web')).metadata;
    expect(annotations).not.toHaveProperty(['konghq.com/plugins']);
    expect(annotations).toHaveProperty(['example.com/team']);
  });

  test('an object that was made anew since it was read is not deleted', async () => {
    await commands.apply(consumer());
    let calls = 0;
    const writer = await interrupted(
      ({ method }) => method === 'DELETE',
      async () => {
        await commands.kubectl(['delete', 'kongconsumer', 'bob', '-n', namespace]);
        await commands.apply(consumer({ username: 'robert' }));
      },
    );
    const deleting = changing(refTo('KongConsumer', 'bob'), (current) => {
      calls += 1;
      return current['username'] === 'bob' ? undefined : current;
    });
    await writer.write([deleting]);
    expect(calls).toBe(2);
    expect(await get('kongconsumer', 'bob')).toMatchObject({ username: 'robert' });
  });

  test('an object that was deleted since it was read is not made anew from what changes of it', async () => {
    await commands.apply(secret());
    const writer = await interrupted(
      ({ method }) => method === 'PATCH',
      async () => commands.kubectl(['delete', 'secret', 'bob-key', '-n', namespace]),
    );
    await writer.write([
      changing(refTo('Secret', 'bob-key'), (current) => ({ ...current, stringData: { key: 'another' } })),
    ]);
    expect(await exists('secret', 'bob-key')).toBe(false);
  });

  test('a namespace that is not there is named', async () => {
    const object = { ...secret(), metadata: { name: 's', namespace: 'nowhere' } };
    const edit: Edit = { ref: { kind: 'Secret', namespace: 'nowhere', name: 's' }, apply: () => object };
    await expect(source.write([edit])).rejects.toMatchObject({
      status: 404,
      message: 'namespaces "nowhere" not found',
    });
  });

  test('what the schema refuses is told by field', async () => {
    await expect(source.write([creating(consumer({ spec: { tags: [''] } }))])).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('spec.tags'),
    });
  });

  test('a write that the watch does not show is told to be made and not in force', async () => {
    const api = await connect();
    const never = async (): Promise<void> => new Promise(() => undefined);
    const writer = createKubernetesWriter({ api, fieldManager, untilObserved: never, observeMs: 20 });
    await expect(writer.write([creating(consumer())])).rejects.toMatchObject({ status: 504, reason: 'NotInForce' });
    expect(await exists('kongconsumer', 'bob')).toBe(true);
    await api.close();
  });

  test('reads an object without saying who owns it', async () => {
    await source.write([creating(secret())]);
    const read = await source.read(refTo('Secret', 'bob-key'));
    expect(read).toMatchObject({ kind: 'Secret', data: { key: btoa('a-key') } });
    expect(read?.metadata).not.toHaveProperty('managedFields');
    expect(await source.read(refTo('Secret', 'nothing'))).toBeUndefined();
  });
});
