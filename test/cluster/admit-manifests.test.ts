/** Manifests that people have for Kong's controller apply unchanged, come back as they are and are read by Latchkey. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindNamed } from '#resources/all-kinds.ts';
import { apiVersionOf, type KubernetesObject } from '#resources/kind.ts';
import { formatRef } from '#resources/ref.ts';
import { validateObject } from '#resources/validate.ts';
import { commandsFor, controlPlane, describeCluster } from '../support/cluster-context.ts';
import { installDefinitions, objectApi } from '../support/custom-resources.ts';
import { asWritten, manifestPath, readManifests } from '../support/manifests.ts';

const file = 'kong-users.yaml';
const namespace = 'admit-manifests';
const objects = readManifests(file).map((object) =>
  kindNamed(object.kind).scope === 'Cluster' ? object : { ...object, metadata: { ...object.metadata, namespace } },
);
const titled = objects.map((object) => ({
  title: formatRef({ kind: object.kind, namespace: '', name: object.metadata.name }),
  object,
}));

describeCluster('a manifest for Kong', () => {
  let api: ReturnType<typeof objectApi>;
  const commands = () => commandsFor(controlPlane());

  beforeAll(async () => {
    await installDefinitions(controlPlane());
    await commands().kubectl(['create', 'namespace', namespace]);
    await commands().kubectl(['apply', '-n', namespace, '-f', manifestPath(file)]);
    api = objectApi(controlPlane());
  });
  afterAll(async () => {
    await commands().kubectl(['delete', '-n', namespace, '-f', manifestPath(file)]);
    await api.close();
  });

  test.for(titled)('$title comes back as it is, and Latchkey finds nothing wrong in it', async ({ object }) => {
    const stored = await api.read(object);
    expect(asWritten(stored.object)).toEqual(asWritten(object));
    expect(validateObject(kindNamed(object.kind), stored.object)).toEqual([]);
  });

  test('applied again changes nothing, in either way of applying', async () => {
    const again = await commands().kubectl(['apply', '-n', namespace, '-f', manifestPath(file)]);
    const lines = again.trim().split('\n');
    expect(lines).toHaveLength(objects.length);
    expect(lines.filter((line) => !line.endsWith(' unchanged'))).toEqual([]);
    const before = await Promise.all(objects.map(async (object) => (await api.read(object)).object));
    const dryRun = ['--server-side', '--force-conflicts', '--dry-run=server'];
    await commands().kubectl(['apply', ...dryRun, '-n', namespace, '-f', manifestPath(file)]);
    const after = await Promise.all(objects.map(async (object) => (await api.read(object)).object));
    expect(after).toEqual(before);
  });

  const at = (kind: string, name: string, fields: object): KubernetesObject => ({
    apiVersion: apiVersionOf(kindNamed(kind)),
    kind,
    metadata: { name, namespace },
    ...fields,
  });

  test('with a field that no CRD names is told by kubectl, and the field is pruned where that is not asked', async () => {
    const consumer = at('KongConsumer', 'pruned', { username: 'a', usrname: 'a', spec: { tags: ['a'], other: 1 } });
    const strict = await api.create(consumer, '?fieldValidation=Strict');
    expect(strict.object.message).toContain('unknown field "spec.other", unknown field "usrname"');
    const stored = await api.create(consumer);
    expect(stored.status).toBe(201);
    expect(asWritten(stored.object)).toEqual(
      asWritten(at('KongConsumer', 'pruned', { username: 'a', spec: { tags: ['a'] } })),
    );
  });

  test('gets the defaults of Kong', async () => {
    const created = async (kind: string, fields: object) => (await api.create(at(kind, 'defaults', fields))).object;
    expect(await created('KongConsumer', { username: 'a', spec: { controlPlaneRef: {} } })).toMatchObject({
      spec: { controlPlaneRef: { type: 'kic' } },
      status: {
        conditions: [{ type: 'Programmed', status: 'Unknown', reason: 'Pending', message: 'Waiting for controller' }],
      },
    });
    expect(await created('KongConsumerGroup', {})).toMatchObject({ status: { conditions: [{ status: 'Unknown' }] } });
    expect(await created('KongPlugin', { plugin: 'key-auth' })).not.toHaveProperty('status');
    expect(await created('IngressClassParameters', { spec: {} })).toMatchObject({
      spec: { serviceUpstream: false, enableLegacyRegexDetection: false },
    });
    const policy = { algorithm: 'sticky-sessions', hashOn: { input: 'none' }, stickySessions: { cookie: 'a' } };
    expect(await created('KongUpstreamPolicy', { spec: policy })).toMatchObject({
      spec: { stickySessions: { cookiePath: '/' } },
    });
  });

  test.for([
    ['KongPlugin', {}, 'plugin: Required value'],
    ['KongPlugin', { plugin: 'a', protocols: ['ws'] }, 'protocols[0]: Unsupported value: "ws"'],
    ['KongPlugin', { plugin: 'a', run_on: 'third' }, 'run_on: Unsupported value'],
    ['KongPlugin', { plugin: 'a', configFrom: { secretKeyRef: { name: 'a' } } }, 'secretKeyRef.key: Required value'],
    ['KongConsumer', { username: 1 }, 'username: Invalid value'],
    ['KongConsumer', { username: 'a', credentials: ['k', 'k'] }, 'credentials[1]: Duplicate value: "k"'],
    ['KongConsumer', { username: 'a', consumerGroups: ['g', 'g'] }, 'consumerGroups[1]: Duplicate value: "g"'],
    [
      'KongConsumer',
      { username: 'a', spec: { tags: Array.from({ length: 21 }, (_, i) => `${i}`) } },
      'spec.tags: Too many',
    ],
    ['KongUpstreamPolicy', { spec: { slots: 9 } }, 'spec.slots: Invalid value: 9'],
    ['KongUpstreamPolicy', { spec: { algorithm: 'random' } }, 'spec.algorithm: Unsupported value'],
    ['KongUpstreamPolicy', { spec: { healthchecks: { active: { httpPath: 'a' } } } }, 'httpPath: Invalid value'],
    [
      'KongUpstreamPolicy',
      { spec: { healthchecks: { passive: { healthy: { httpStatuses: [99] } } } } },
      'httpStatuses[0]: Invalid value: 99',
    ],
    ['KongUpstreamPolicy', { spec: { stickySessions: {} } }, 'spec.stickySessions.cookie: Required value'],
  ] as const)('%s %j is refused: %s', async ([kind, fields, message]) => {
    const answer = await api.create(at(kind, 'refused', fields), '?dryRun=All');
    expect([answer.status, answer.object.message]).toEqual([422, expect.stringContaining(message)]);
  });

  test('of a KongClusterPlugin says the namespace of its Secrets', async () => {
    const secretKeyRef = { name: 'a', key: 'b' };
    const plugin = { ...at('KongClusterPlugin', 'refused', { plugin: 'a', configFrom: { secretKeyRef } }) };
    const answer = await api.create({ ...plugin, metadata: { name: 'refused' } }, '?dryRun=All');
    expect(answer.object.message).toContain('configFrom.secretKeyRef.namespace: Required value');
  });
});
