/**
 * The engine's invariant: whatever the sequence of changes, the table and the verdicts are those of a
 * translation of the same objects from nothing; and a change costs the roots that read it, no others.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { refKey } from '#resources/ref.ts';
import { sealSecret } from '#store/seal.ts';
import type { RecordedChange } from '#store/store.ts';
import { createEngine, type EngineOutput } from '#translate/engine.ts';
import { sealingWith } from '#translate/sealing.ts';
import { makeDigest } from '#table/digest.ts';
import type { TableEntry } from '#table/table-entry.ts';
import { createTable } from '#table/table.ts';
import type { Match } from '#gateway/match.ts';
import { createServedTable } from '#gateway/served-table.ts';
import { makePair, tlsSecret } from './support/certificates.ts';
import { grant, group, inGroups, inNamespace, naming } from './support/membership-objects.ts';
import { consumer, ingress, plugin, sealedSecret, service, slice } from './support/objects.ts';
import { refOfAny } from './support/object-source.ts';

const settings = { ingressClass: 'kong', defaultCertificate: { namespace: 'default', name: 'c' } };

const put = (object: KubernetesObject): RecordedChange => ({ type: 'put', ref: refOfAny(object), object });

/** Few names and few values: references meet, dangle and conflict all the time. */
const name = fc.constantFrom('a', 'b', 'c');
const stamp = fc.constantFrom(undefined, '2020-01-01T00:00:00Z', '2021-01-01T00:00:00Z');
const names = fc.array(name, { maxLength: 3 });
/** Names as `konghq.com/plugins` has them. */
const plugins = fc.array(fc.constantFrom('a', 'b', 'c', 'other:a', 'bad:'), { maxLength: 3 });

const sealing = sealingWith(makeDigest(Buffer.alloc(32, 7)));
const pairs = [{}, { names: ['*.x'] }, { names: ['a'], notAfter: '2026-02-01T00:00:00Z' }].map(makePair);

/** A Secret of a certificate, or of half of one. */
const certificateSecret = fc
  .record({ name, certificate: fc.constantFrom(...pairs), key: fc.constantFrom(...pairs) })
  .map(({ name: called, certificate: { certificate }, key: { privateKey } }) =>
    sealSecret(tlsSecret(called, { certificate, privateKey }), sealing),
  );

const tlsIngress = fc
  .record({
    name,
    created: stamp,
    tls: fc.array(fc.record({ hosts: fc.array(fc.constantFrom('a', '*.x', 'bad!')), secretName: name }), {
      maxLength: 2,
    }),
  })
  .map(({ name: called, created, tls }) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: called, namespace: 'default', ...(created === undefined ? {} : { creationTimestamp: created }) },
    spec: { ingressClassName: 'kong', tls },
  }));

const anyObject: fc.Arbitrary<KubernetesObject> = fc.oneof(
  certificateSecret,
  tlsIngress,
  fc
    .record({
      name,
      path: fc.constantFrom('/', '/a', '/b', 'bad'),
      service: name,
      plugins,
      created: stamp,
      isBroken: fc.boolean(),
    })
    .map(ingress),
  fc
    .record({
      name,
      type: fc.constantFrom('key-auth', 'request-termination', 'no-such'),
      config: fc.constantFrom({}, { key_names: ['x'] }, { wrong: 1 }, { anonymous: 'a' }),
      isDisabled: fc.boolean(),
      isGlobal: fc.boolean(),
    })
    .map(plugin),
  fc
    .record({
      name,
      username: fc.constantFrom('a', 'b', undefined),
      credentials: names,
      created: stamp,
      class: fc.constantFrom('kong', 'other', undefined),
      plugins,
      groups: fc.uniqueArray(name, { maxLength: 2 }),
    })
    .map(({ plugins: named, groups, ...fields }) => inGroups(naming(consumer(fields), named), groups)),
  fc
    .record({ name, class: fc.constantFrom('kong', 'kong', 'other'), plugins })
    .map((fields) => naming(group(fields.name, fields.class), fields.plugins)),
  fc
    .record({ kind: fc.constantFrom('Ingress', 'KongConsumer'), name: fc.constantFrom(undefined, 'a', 'b') })
    .map((to) => grant(to.kind, to.name)),
  fc
    .record({ name, type: fc.constantFrom('key-auth', 'request-termination'), isDisabled: fc.boolean() })
    .map((fields) => inNamespace(plugin({ ...fields, config: {}, isGlobal: false }), 'other')),
  fc
    .record({
      name,
      digest: fc.constantFrom('one', 'two', undefined),
      label: fc.constantFrom('key-auth', 'jwt', undefined),
      created: stamp,
    })
    .map(sealedSecret),
  fc.record({ name, port: fc.constantFrom(80, 81), plugins }).map(service),
  fc.record({ name, service: name, address: fc.constantFrom('10.0.0.1', '10.0.0.2') }).map(slice),
  fc.record({ isDefault: fc.boolean() }).map(({ isDefault }) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'kong', annotations: { 'ingressclass.kubernetes.io/is-default-class': String(isDefault) } },
  })),
);

const changesOf = (objects: fc.Arbitrary<KubernetesObject>): fc.Arbitrary<RecordedChange> =>
  fc.oneof(
    { weight: 3, arbitrary: objects.map(put) },
    { weight: 1, arbitrary: objects.map((object) => ({ type: 'delete' as const, ref: refOfAny(object) })) },
  );

const anyChange = changesOf(anyObject);

/** Consumers and their keys, which nothing else spoils: they change hands all the time. */
const keyChange = changesOf(
  fc.oneof(
    fc
      .record({ name, username: name, credentials: names, created: stamp })
      .map((fields) => consumer({ ...fields, class: 'kong' })),
    fc
      .record({ name, digest: fc.constantFrom('one', 'two'), created: stamp })
      .map((fields) => sealedSecret({ ...fields, label: 'key-auth' })),
  ),
);

const byKey = <T>(items: readonly T[], key: (item: T) => string): T[] =>
  [...items].sort((a, b) => (key(a) < key(b) ? -1 : 1));
const sortedEntries = (entries: readonly TableEntry[]): TableEntry[] => byKey(entries, (entry) => entry.key);

/** What a worker finds for a request; with its home a route comes with all of its host. */
const matched = (match: Match | undefined): object | undefined =>
  match && { ...match, route: { ...match.route, home: undefined } };

function outcome(engine: ReturnType<typeof createEngine>): object {
  return { entries: sortedEntries(engine.entries()), verdicts: byKey(engine.verdicts(), ({ ref }) => refKey(ref)) };
}

/** What finds an entry in the table: a former key that is still found opens what it must not. */
const placeOf = (entry: EngineOutput['remove'][number]): string =>
  entry.kind === 'credential' ? entry.digest : entry.key;

/** What somebody has who only ever got the outputs. */
function replay(entries: Map<string, TableEntry>, output: EngineOutput): void {
  for (const entry of output.remove) entries.delete(placeOf(entry));
  for (const entry of output.put) entries.set(placeOf(entry), entry);
}

describe('after any sequence of changes', () => {
  test.each([
    ['any objects', anyChange],
    ['consumers and keys', keyChange],
  ])('of %s, entries, verdicts and outputs are those of a translation from nothing', (_, change) => {
    fc.assert(
      fc.property(fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 25 }), (batches) => {
        const incremental = createEngine(settings);
        const replayed = new Map<string, TableEntry>();
        const objects = new Map<string, RecordedChange>();
        for (const batch of batches) {
          const output = incremental.apply(batch);
          expect(output.failures).toEqual([]);
          replay(replayed, output);
          for (const one of batch) {
            if (one.type === 'put') objects.set(refKey(one.ref), one);
            else objects.delete(refKey(one.ref));
          }
        }
        const fresh = createEngine(settings);
        fresh.apply([...objects.values()].reverse());
        expect(outcome(incremental)).toEqual(outcome(fresh));
        expect(sortedEntries([...replayed.values()])).toEqual(sortedEntries(fresh.entries()));
      }),
      { numRuns: 400 },
    );
  });

  test('a worker that got every patch serves what one serves that got the snapshot', () => {
    /** A request that has nothing that a route could want besides host and path. */
    const asked = { method: 'GET', headersDistinct: {}, socket: {} };
    const hosts = ['', 'a', 'b', 'c'];
    const paths = ['/', '/a', '/a/x', '/b', '/z'];
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 40 }), (changes) => {
        const engine = createEngine(settings);
        const table = createTable();
        const patched = createServedTable();
        patched.apply(table.snapshot());
        for (const change of changes) {
          const patch = table.apply(engine.apply([change]));
          if (patch !== undefined) patched.apply(patch);
        }
        const started = createServedTable();
        started.apply(table.snapshot());
        for (const host of hosts) {
          for (const path of paths)
            expect(matched(patched.match(host, path, asked))).toEqual(matched(started.match(host, path, asked)));
        }
        for (const host of ['', 'a', 'b.x', 'z']) {
          expect(patched.serverNames.find(host)).toEqual(started.serverNames.find(host));
        }
        expect(byKey([...patched.services()], ({ key }) => key)).toEqual(
          byKey([...started.services()], ({ key }) => key),
        );
      }),
      { numRuns: 150 },
    );
  });
});

describe('the cost of a change', () => {
  const many = 10_000;
  const engine = createEngine(settings);
  const routes = Array.from({ length: many }, (_, i) =>
    ingress({ name: `i${i}`, path: `/p${i}`, service: 's', plugins: ['shared'], created: undefined, isBroken: false }),
  );
  engine.apply([
    ...routes.map(put),
    put(service({ name: 's', port: 80, plugins: [] })),
    put(plugin({ name: 'shared', type: 'key-auth', config: {}, isDisabled: false, isGlobal: false })),
  ]);

  test('one Ingress among 10,000 re-runs one root and changes one entry', () => {
    const changed = ingress({
      name: 'i7',
      path: '/new',
      service: 's',
      plugins: ['shared'],
      created: undefined,
      isBroken: false,
    });
    const output = engine.apply([put(changed)]);
    expect(output.rootsRun).toBe(1);
    expect(output.put.map((entry) => entry.key)).toEqual(['route:default/i7/0/0']);
  });

  test('a plugin that 10,000 Ingresses name re-runs itself alone while it stays usable', () => {
    const changed = plugin({
      name: 'shared',
      type: 'key-auth',
      config: { key_names: ['k'] },
      isDisabled: true,
      isGlobal: false,
    });
    expect(engine.apply([put(changed)]).rootsRun).toBe(1);
  });

  test('an endpoint re-runs its Service and its own verdict', () => {
    expect(engine.apply([put(slice({ name: 's', service: 's', address: '10.0.0.9' }))]).rootsRun).toBe(2);
  });

  test('a plugin that breaks tells every Ingress that names it', () => {
    const broken = plugin({
      name: 'shared',
      type: 'key-auth',
      config: { wrong: 1 },
      isDisabled: false,
      isGlobal: false,
    });
    expect(engine.apply([put(broken)]).rootsRun).toBe(many + 1);
  });
});

describe('the cost of a change to one of many who name a plugin', () => {
  const many = 10_000;
  const engine = createEngine(settings);
  const consumerNamed = (i: number, username: string): KubernetesObject => {
    const fields = { name: `c${i}`, username, credentials: [], created: undefined, class: 'kong' };
    return inGroups(naming(consumer(fields), ['shared']), ['all']);
  };
  const routeNamed = (i: number): KubernetesObject =>
    ingress({ name: `i${i}`, path: `/p${i}`, service: 's', plugins: ['shared'], created: undefined, isBroken: false });
  const some = Array.from({ length: many }, (_, i) => i);
  engine.apply([
    put(plugin({ name: 'shared', type: 'request-termination', config: {}, isDisabled: false, isGlobal: false })),
    put(group('all', 'kong')),
    ...some.flatMap((i) => [put(consumerNamed(i, `c${i}`)), put(routeNamed(i))]),
  ]);

  test('one consumer among 10,000 re-runs itself alone', () => {
    expect(engine.apply([put(consumerNamed(7, 'renamed'))]).rootsRun).toBe(1);
  });

  test('one Ingress among 10,000 re-runs itself alone', () => {
    expect(engine.apply([put(routeNamed(7))]).rootsRun).toBe(1);
  });

  test('one that goes re-runs nobody', () => {
    const ref = refOfAny(consumerNamed(8, ''));
    expect(engine.apply([{ type: 'delete', ref }]).rootsRun).toBe(0);
  });

  test('a group that all are in re-runs itself alone while it has the same plugins', () => {
    const changed = { ...group('all', 'kong'), spec: { tags: ['x'] } };
    expect(engine.apply([put(changed)]).rootsRun).toBe(1);
  });
});
