/** Every rule of the CRDs refuses what it must, in Kong's words, lets its neighbour in, and agrees with `latchkey check`. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allKinds, kindNamed } from '#resources/all-kinds.ts';
import { apiVersionOf, type KubernetesObject } from '#resources/kind.ts';
import { validateObject } from '#resources/validate.ts';
import { commandsFor, controlPlane, describeCluster } from '../support/cluster-context.ts';
import { installDefinitions, objectApi } from '../support/custom-resources.ts';

type Fields = Readonly<Record<string, unknown>>;

const namespace = 'admit-rules';
const dryRun = '?dryRun=All&fieldValidation=Strict';

function objectOf(kind: string, fields: Fields, name = 'subject'): KubernetesObject {
  const known = kindNamed(kind);
  const metadata = { name, ...(known.scope === 'Cluster' ? {} : { namespace }) };
  return { apiVersion: apiVersionOf(known), kind, metadata, ...fields };
}

interface RuleCase {
  readonly kind: string;
  readonly message: string;
  readonly refused: Fields;
  /** As near to what is refused as may be. */
  readonly accepted: Fields;
}

const secretKeyRef = { name: 'secret', key: 'config' };
const clusterKeyRef = { ...secretKeyRef, namespace: 'default' };
const from = { configFrom: { secretKeyRef } };
const clusterFrom = { configFrom: { secretKeyRef: clusterKeyRef } };
const patches = (ref: object) => ({ configPatches: [{ path: '/a', valueFrom: { secretKeyRef: ref } }] });
const both = 'Using both config and configFrom fields is not allowed.';
const bothPatched = 'Using both configFrom and configPatches fields is not allowed.';

const ofPlugins: readonly RuleCase[] = [
  {
    kind: 'KongPlugin',
    message: both,
    refused: { plugin: 'key-auth', config: {}, ...from },
    accepted: { plugin: 'key-auth', ...from },
  },
  {
    kind: 'KongPlugin',
    message: bothPatched,
    refused: { plugin: 'key-auth', ...from, ...patches(secretKeyRef) },
    accepted: { plugin: 'key-auth', config: {}, ...patches(secretKeyRef) },
  },
  {
    kind: 'KongClusterPlugin',
    message: both,
    refused: { plugin: 'key-auth', config: { a: 1 }, ...clusterFrom },
    accepted: { plugin: 'key-auth', ...clusterFrom },
  },
  {
    kind: 'KongClusterPlugin',
    message: bothPatched,
    refused: { plugin: 'key-auth', ...clusterFrom, ...patches(clusterKeyRef) },
    accepted: { plugin: 'key-auth', ...patches(clusterKeyRef) },
  },
];

const ofSpecs = (['KongConsumer', 'KongConsumerGroup'] as const).flatMap((kind): RuleCase[] => {
  const named = kind === 'KongConsumer' ? { username: 'bob' } : {};
  const withRef = (controlPlaneRef: object): Fields => ({ ...named, spec: { controlPlaneRef } });
  const type = 'konnectNamespacedRef';
  return [
    {
      kind,
      message: "'konnectID' type is not supported",
      refused: withRef({ type: 'konnectID', konnectID: 'x' }),
      accepted: withRef({ type: 'kic' }),
    },
    {
      kind,
      message: 'spec.controlPlaneRef cannot specify namespace for namespaced resource',
      refused: withRef({ type, konnectNamespacedRef: { name: 'a', namespace: 'b' } }),
      accepted: withRef({ type, konnectNamespacedRef: { name: 'a' } }),
    },
    {
      kind,
      message: 'tags entries must not be longer than 128 characters',
      refused: { ...named, spec: { tags: ['é'.repeat(129)] } },
      accepted: { ...named, spec: { tags: ['é'.repeat(128), '👍'.repeat(128)] } },
    },
    {
      kind,
      message: 'tags entries must not be longer than 128 characters',
      refused: { ...named, spec: { tags: ['a', ''] } },
      accepted: { ...named, spec: { tags: [] } },
    },
  ];
});

const policy = (message: string, refused: Fields, accepted: Fields): RuleCase => ({
  kind: 'KongUpstreamPolicy',
  message,
  refused: { spec: refused },
  accepted: { spec: accepted },
});
const hashing = { algorithm: 'consistent-hashing' };
const sticky = { algorithm: 'sticky-sessions', hashOn: { input: 'none' }, stickySessions: { cookie: 'session' } };
const onlyOne = 'Only one of spec.hashOn.(input|cookie|header|uriCapture|queryArg) can be set.';
const onlyOneFallback = 'Only one of spec.hashOnFallback.(input|header|uriCapture|queryArg) can be set.';
const stickyInput =
  "When spec.stickySessions is set, spec.hashOn.input must be set to 'none' (no other hash_on fields allowed).";
const hashAlgorithm =
  "spec.algorithm must be set to either 'consistent-hashing' or 'sticky-sessions' when spec.hashOn is set.";

const ofPolicies: readonly RuleCase[] = [
  policy(
    onlyOne,
    { ...hashing, hashOn: { header: 'a', queryArg: 'b' } },
    { ...hashing, hashOn: { header: 'a' }, hashOnFallback: { queryArg: 'b' } },
  ),
  policy(
    onlyOne,
    { ...hashing, hashOn: { input: 'ip', cookie: 'a', cookiePath: '/' } },
    { ...hashing, hashOn: { cookie: 'a', cookiePath: '/' } },
  ),
  policy(
    onlyOne,
    { ...hashing, hashOn: { uriCapture: 'a', header: 'b' } },
    { ...hashing, hashOn: { uriCapture: 'a' } },
  ),
  policy(
    'When spec.hashOn.cookie is set, spec.hashOn.cookiePath is required.',
    { ...hashing, hashOn: { cookie: 'a' } },
    { ...hashing, hashOn: { cookie: 'a', cookiePath: '/' } },
  ),
  policy(
    'When spec.hashOn.cookiePath is set, spec.hashOn.cookie is required.',
    { ...hashing, hashOn: { header: 'a', cookiePath: '/' } },
    { ...hashing, hashOn: { header: 'a' } },
  ),
  policy(hashAlgorithm, { hashOn: { header: 'a' } }, { ...hashing, hashOn: { header: 'a' } }),
  policy(hashAlgorithm, { algorithm: 'round-robin', hashOn: { input: 'ip' } }, { algorithm: 'round-robin' }),
  ...['input', 'header', 'uriCapture'].map((field) =>
    policy(
      onlyOneFallback,
      { ...hashing, hashOnFallback: { [field]: field === 'input' ? 'ip' : 'a', queryArg: 'b' } },
      { ...hashing, hashOnFallback: { queryArg: 'b' } },
    ),
  ),
  policy(
    onlyOneFallback,
    { ...hashing, hashOn: { header: 'a' }, hashOnFallback: { header: 'b', input: 'ip' } },
    { ...hashing, hashOn: { header: 'a' }, hashOnFallback: { input: 'ip' } },
  ),
  policy(
    'spec.algorithm must be set to "consistent-hashing" when spec.hashOnFallback is set.',
    { ...sticky, hashOnFallback: { input: 'ip' } },
    { ...hashing, hashOnFallback: { input: 'ip' } },
  ),
  policy(
    'spec.hashOnFallback must not be set when spec.hashOn.cookie is set.',
    { ...hashing, hashOn: { cookie: 'a', cookiePath: '/' }, hashOnFallback: { input: 'ip' } },
    { ...hashing, hashOn: { header: 'a' }, hashOnFallback: { input: 'ip' } },
  ),
  policy(
    'spec.healthchecks.passive.healthy.interval must not be set.',
    { healthchecks: { passive: { healthy: { interval: 1 } } } },
    { healthchecks: { active: { healthy: { interval: 1 } }, passive: { healthy: { successes: 1 } } } },
  ),
  policy(
    'spec.healthchecks.passive.unhealthy.interval must not be set.',
    { healthchecks: { passive: { unhealthy: { interval: 0 } } } },
    { healthchecks: { active: { unhealthy: { interval: 0 } }, passive: { unhealthy: { timeouts: 1 } } } },
  ),
  policy(stickyInput, { ...sticky, hashOn: { header: 'a' } }, sticky),
  ...['cookie', 'cookiePath', 'header', 'uriCapture', 'queryArg'].map((field) =>
    policy(stickyInput, { ...sticky, hashOn: { input: 'none', [field]: 'a' } }, sticky),
  ),
  policy(
    stickyInput,
    { ...sticky, hashOn: { input: 'ip' } },
    { ...sticky, stickySessions: { cookie: 'a', cookiePath: '/b' } },
  ),
  policy(
    "spec.algorithm must be set to 'sticky-sessions' when spec.stickySessions is set.",
    { ...sticky, ...hashing },
    sticky,
  ),
];

const cases: readonly RuleCase[] = [
  {
    kind: 'KongConsumer',
    message: 'Need to provide either username or custom_id',
    refused: { credentials: ['key'] },
    accepted: { custom_id: '', credentials: ['key'] },
  },
  ...ofPlugins,
  ...ofSpecs,
  ...ofPolicies,
];

describeCluster('a rule of a CRD', () => {
  let api: ReturnType<typeof objectApi>;

  beforeAll(async () => {
    await installDefinitions(controlPlane());
    await commandsFor(controlPlane()).kubectl(['create', 'namespace', namespace]);
    api = objectApi(controlPlane());
  });
  afterAll(async () => {
    await commandsFor(controlPlane()).kubectl(['delete', 'kongclusterplugin', 'admit-immutable']);
    await api.close();
  });

  test.for(cases)('$kind: $message', async ({ kind, message, refused, accepted }) => {
    const bad = objectOf(kind, refused);
    const answer = await api.create(bad, dryRun);
    expect([answer.status, answer.object.message]).toEqual([422, expect.stringContaining(message)]);
    expect(validateObject(kindNamed(kind), bad).map((problem) => problem.message)).toEqual(
      expect.arrayContaining([expect.stringContaining(message)]),
    );

    const good = objectOf(kind, accepted);
    expect((await api.create(good, dryRun)).object.message).toBeUndefined();
    expect(validateObject(kindNamed(kind), good)).toEqual([]);
  });

  test('stands in this list, and every rule has its CEL', () => {
    const rules = allKinds
      .filter((kind) => kind.crd !== undefined)
      .flatMap((kind) => kind.rules.map((rule) => ({ kind: kind.kind, message: rule.message, cel: typeof rule.cel })));
    const tried = new Map(cases.map(({ kind, message }) => [`${kind}: ${message}`, { kind, message, cel: 'string' }]));
    expect([...tried.values()]).toEqual(expect.arrayContaining(rules));
    expect(rules).toHaveLength(tried.size);
  });

  test('keeps the type of a plugin as it was made, in both kinds', async () => {
    for (const kind of ['KongPlugin', 'KongClusterPlugin']) {
      const plugin = objectOf(kind, { plugin: 'key-auth' }, 'admit-immutable');
      expect((await api.create(plugin)).status).toBe(201);
      const changed = await api.patch(plugin, { plugin: 'acl' }, dryRun);
      expect([changed.status, changed.object.message]).toEqual([
        422,
        expect.stringContaining('The plugin field is immutable'),
      ]);
      expect((await api.patch(plugin, { plugin: 'key-auth', disabled: true }, dryRun)).status).toBe(200);
    }
  });

  test('keeps the control plane of a consumer once it is set, and as it was once it is programmed', async () => {
    const programmed = { type: 'Programmed', status: 'True', reason: 'Programmed', message: '' };
    const conditions = [{ ...programmed, lastTransitionTime: '2026-01-01T00:00:00Z' }];
    for (const [kind, named] of [
      ['KongConsumer', { username: 'bob' }],
      ['KongConsumerGroup', {}],
    ] as const) {
      const object = objectOf(kind, { ...named, spec: { controlPlaneRef: { type: 'kic' } } }, 'admit-immutable');
      expect((await api.create(object)).status).toBe(201);

      const removed = await api.patch(object, { spec: { controlPlaneRef: null } }, dryRun);
      expect([removed.status, removed.object.message]).toEqual([
        422,
        expect.stringContaining('controlPlaneRef is required once set'),
      ]);
      expect((await api.patch(object, { spec: null }, dryRun)).status).toBe(422);

      const another = {
        spec: { controlPlaneRef: { type: 'konnectNamespacedRef', konnectNamespacedRef: { name: 'a' } } },
      };
      expect((await api.patch(object, another, dryRun)).status).toBe(200);
      expect((await api.patchStatus(object, { conditions })).status).toBe(200);
      const changed = await api.patch(object, another, dryRun);
      expect([changed.status, changed.object.message]).toEqual([
        422,
        expect.stringContaining('spec.controlPlaneRef is immutable when an entity is already Programmed'),
      ]);
      expect((await api.patch(object, { spec: { tags: ['a'] } }, dryRun)).status).toBe(200);
    }
  });
});
