import fc from 'fast-check';
import { expect, test } from 'vitest';
import { credentialExpiry } from '#resources/credential-expiry.ts';
import type { Secret } from '#resources/secret.ts';

const created = '2026-01-01T00:00:00Z';

function secret(ttl: string | undefined, expiresAt: string | undefined): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 's',
      namespace: 'a',
      creationTimestamp: created,
      ...(expiresAt === undefined ? {} : { annotations: { 'latchkey.dev/expires-at': expiresAt } }),
    },
    ...(ttl === undefined ? {} : { sealed: { ttl: { text: ttl } } }),
  };
}

test.for([
  [undefined, undefined, undefined],
  ['0', undefined, undefined],
  ['60', undefined, '2026-01-01T00:01:00Z'],
  [undefined, '2026-01-31T12:00:00Z', '2026-01-31T12:00:00Z'],
  [undefined, ' 2026-01-31t12:00:00.5+01:00 ', '2026-01-31T11:00:00.500Z'],
  ['60', '2026-01-31T12:00:00Z', '2026-01-01T00:01:00Z'],
  ['100000000', '2026-01-31T12:00:00Z', '2026-01-31T12:00:00Z'],
  [undefined, '2028-02-29T00:00:00Z', '2028-02-29T00:00:00Z'],
] as const)('ttl %s and expires-at %s end at %s', ([ttl, expiresAt, end]) => {
  expect(credentialExpiry(secret(ttl, expiresAt))).toEqual({ atMs: end === undefined ? undefined : Date.parse(end) });
});

test.for([
  '',
  'never',
  '2026-01-31',
  '2026-01-31T12:00Z',
  '2026-01-31T12:00:00',
  '2026-02-29T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:00:00+24:00',
  '1769860800',
])('%j is no time', (text) => {
  expect(credentialExpiry(secret(undefined, text))).toHaveProperty('fault');
  expect(credentialExpiry(secret('60', text))).toHaveProperty('fault');
});

test('every time that a program prints is read as that time', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
      expect(credentialExpiry(secret(undefined, date.toISOString()))).toEqual({ atMs: date.getTime() });
    }),
  );
});

test('no text throws', () => {
  fc.assert(fc.property(fc.string(), fc.string(), (ttl, at) => void credentialExpiry(secret(ttl, at))));
});
