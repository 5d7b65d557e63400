import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { verdictAt } from '#resources/verdict.ts';
import { sealSecret } from '#store/seal.ts';
import { makeDigest } from '#table/digest.ts';
import { createEngine } from '#translate/engine.ts';
import { sealingWith } from '#translate/sealing.ts';
import type { Pair } from '#gateway/self-signed.ts';
import { makePair } from '../../support/certificates.ts';
import { ed25519, encryptedKey, shortRsa } from '../../support/odd-pairs.ts';
import { refOfAny } from '../../support/object-source.ts';

const sealing = sealingWith(makeDigest(Buffer.alloc(32, 7)));
const nowMs = Date.parse('2027-01-01T00:00:00Z');

const ingress: KubernetesObject = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web', namespace: 'default' },
  spec: { ingressClassName: 'kong', tls: [{ hosts: ['a.example.com'], secretName: 'cert' }] },
};

const secret = ({ certificate, privateKey }: Pair): KubernetesObject =>
  sealSecret(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'cert', namespace: 'default' },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': certificate, 'tls.key': privateKey },
    },
    sealing,
  );

const put = (object: KubernetesObject) => ({ type: 'put' as const, ref: refOfAny(object), object });

/** The messages that an Ingress gets for its certificate, and the keys of what is served. */
function found(pair: Pair) {
  const engine = createEngine({ ingressClass: 'kong' });
  const { failures } = engine.apply([put(ingress), put(secret(pair))]);
  expect(failures).toEqual([]);
  const verdict = engine.verdicts().find(({ ref }) => ref.kind === 'Ingress');
  return {
    told: verdict === undefined ? [] : verdictAt(verdict, nowMs).problems.map(({ message }) => message),
    served: engine.entries().some(({ kind }) => kind === 'certificate'),
  };
}

const good = makePair({ names: ['a.example.com'] });
const place = 'spec.tls[0].secretName: Secret default/cert';

describe('a certificate', () => {
  test('may have any kind of key that OpenSSL serves', () => {
    expect(found(good)).toEqual({ told: [], served: true });
    expect(found(ed25519)).toEqual({ told: [], served: true });
  });

  test('with an RSA key that OpenSSL refuses is told and not served', () => {
    const told = [`${place}: data["tls.crt"]: its RSA key has 1024 bits, at least 2048 are needed`];
    expect(found(shortRsa)).toEqual({ told, served: false });
  });

  test('whose key has a passphrase is told, without a word of the key', () => {
    const { told, served } = found({ ...good, privateKey: encryptedKey });
    expect([told, served]).toEqual([
      [`${place}: data["tls.key"]: is no private key in PEM, or has a passphrase`],
      false,
    ]);
  });

  test('may come with its chain, each of which must be readable', () => {
    const { certificate, privateKey } = good;
    expect(found({ certificate: `# comment\n${certificate}${makePair().certificate}`, privateKey }).told).toEqual([]);
    const broken = certificate.replace(/\n[^-]{10}/, '\nAAAAAAAAAA');
    expect(found({ certificate: `${certificate}${broken}`, privateKey })).toEqual({
      told: [`${place}: data["tls.crt"]: is no certificate in PEM`],
      served: false,
    });
  });

  test('is for no name that just stands inside another one', () => {
    const evil = makePair({ names: ['b.example.com, DNS:a.example.com', 'c.example.com'] });
    expect(found(evil).told).toEqual([
      'spec.tls[0].hosts[0]: Secret default/cert: the certificate is for c.example.com, not for a.example.com',
    ]);
  });

  test('is told of by the clock: not yet, good, expired', () => {
    const engine = createEngine({ ingressClass: 'kong' });
    const pair = makePair({
      names: ['a.example.com'],
      notBefore: '2026-02-01T00:00:00Z',
      notAfter: '2026-03-01T00:00:00Z',
    });
    engine.apply([put(ingress), put(secret(pair))]);
    const verdict = engine.verdicts().find(({ ref }) => ref.kind === 'Ingress');
    const at = (time: string) =>
      verdict === undefined ? ['none'] : verdictAt(verdict, Date.parse(time)).problems.map(({ message }) => message);
    expect([
      at('2026-01-31T23:59:59Z'),
      at('2026-02-01T00:00:00Z'),
      at('2026-02-28T23:59:59Z'),
      at('2026-03-01T00:00:00Z'),
    ]).toEqual([
      [`${place}: the certificate is not valid before 2026-02-01T00:00:00Z`],
      [],
      [],
      [`${place}: the certificate expired at 2026-03-01T00:00:00Z`],
    ]);
  });

  test('of any text is served or told of, and never a bug', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(good.certificate, good.privateKey, ed25519.certificate, shortRsa.privateKey),
    );
    const cut = fc.record({ text: piece, from: fc.nat(400), to: fc.nat(900), put: fc.string({ maxLength: 3 }) });
    const text = fc.oneof(
      piece,
      cut.map(
        ({ text: whole, from, to, put: middle }) => whole.slice(0, from) + middle + whole.slice(Math.max(from, to)),
      ),
    );
    fc.assert(
      fc.property(text, text, (certificate, privateKey) => {
        const { told, served } = found({ certificate, privateKey });
        expect(told.length > 0 || served).toBe(true);
        if (privateKey.length > 3) expect(told.join()).not.toContain(privateKey);
      }),
      { numRuns: 300 },
    );
  });
});

test('a certificate that nothing names goes to no worker, until something does', () => {
  const engine = createEngine({ ingressClass: 'kong' });
  expect(engine.apply([put(secret(good))]).put).toEqual([]);
  expect(engine.apply([put(ingress)]).put.map(({ key }) => key)).toEqual([
    'server-name:default/web/a.example.com',
    'certificate:default/cert',
  ]);
  const { remove } = engine.apply([{ type: 'delete', ref: refOfAny(ingress) }]);
  expect(remove.map(({ kind }) => kind).toSorted()).toEqual(['certificate', 'server-name']);
});

describe('the cost of a Secret', () => {
  const engine = createEngine({ ingressClass: 'kong' });
  const many = Array.from({ length: 1_000 }, (_, i) => ({
    ...ingress,
    metadata: { name: `web-${i}`, namespace: 'default' },
  }));
  engine.apply([...many.map(put), put(secret(good))]);

  test('an Ingress that names it like a thousand others runs alone', () => {
    const [first] = many;
    const changed = {
      ...first,
      metadata: { name: 'web-0', namespace: 'default', labels: { a: 'b' } },
    } as KubernetesObject;
    expect(engine.apply([put(changed)]).rootsRun).toBe(1);
  });

  test('its labels re-run no Ingress, its renewal all that name it', () => {
    const object = secret(good);
    const labelled = { ...object, metadata: { ...object.metadata, labels: { a: 'b' } } };
    expect(engine.apply([put(labelled)]).rootsRun).toBe(1);
    const output = engine.apply([put(secret(makePair({ names: ['a.example.com'] })))]);
    expect(output.rootsRun).toBe(1_001);
    expect(output.put.map(({ key }) => key)).toEqual(['certificate:default/cert']);
  });
});
