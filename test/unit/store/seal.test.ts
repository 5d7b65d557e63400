import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Secret } from '#resources/secret.ts';
import { sealSecret } from '#store/seal.ts';
import { makeDigest } from '#table/digest.ts';
import { sealingWith } from '#translate/sealing.ts';

const digest = makeDigest(Buffer.alloc(32, 7));
const plain = sealingWith(digest);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const secret = (labels: Readonly<Record<string, string>>, fields: object): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'apps', labels: { ...labels }, annotations: { copy: 'planted' } },
  ...fields,
});

const sealedFields = (object: KubernetesObject, sealing = plain): NonNullable<Secret['sealed']> =>
  (sealSecret(object, sealing) as Secret).sealed ?? {};

const wanting = { ...plain, wants: ({ name }: { readonly name: string }) => name === 's' };

describe('a sealed Secret', () => {
  test('that nothing refers to is its metadata alone', () => {
    const sealed = sealSecret(secret({ app: 'x' }, { type: 'Opaque', stringData: { password: 'planted' } }), plain);
    expect(sealed).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'apps', labels: { app: 'x' } },
      type: 'Opaque',
      sealed: {},
    });
    expect(inspect(sealed, { depth: 9 })).not.toContain('planted');
  });

  test('that is a credential holds a digest of its key, and nothing else of it', () => {
    const data = { key: base64('planted'), ttl: base64('60'), note: base64('n') };
    const labels = { 'konghq.com/credential': 'key-auth' };
    const fields = sealedFields(secret(labels, { data }));
    expect(fields).toEqual({
      key: { digest: digest('key-auth', 'planted').toString('base64url') },
      ttl: { text: '60' },
    });
    expect(sealedFields(secret(labels, {}))).toEqual({ key: { fault: 'is missing' } });
  });

  test('of type kubernetes.io/tls holds the certificate as text and the key hidden', () => {
    const data = { 'tls.crt': base64('cert'), 'tls.key': base64('planted'), 'other.pem': base64('planted') };
    const object = sealSecret(secret({}, { type: 'kubernetes.io/tls', data }), plain) as Secret;
    expect(object.sealed?.['tls.crt']).toEqual({ text: 'cert' });
    expect(object.sealed?.['tls.key']?.hidden?.reveal()).toBe('planted');
    expect(Object.keys(object.sealed ?? {})).toEqual(['tls.crt', 'tls.key']);
    expect(inspect(object, { depth: 9, showHidden: true })).not.toContain('planted');
  });

  test('with the label of a CA holds its certificate and id as text', () => {
    const data = { id: base64('i'), 'ca.crt': base64('ca'), 'ca.key': base64('planted') };
    expect(sealedFields(secret({ 'konghq.com/ca-cert': 'true' }, { data }))).toEqual({
      id: { text: 'i' },
      'ca.crt': { text: 'ca' },
    });
    expect(sealedFields(secret({ 'konghq.com/ca-cert': 'false' }, { data }))).toEqual({});
  });

  test('that some object wants holds every value, hidden', () => {
    const fields = sealedFields(
      secret({}, { data: { one: base64('1'), bad: '%' }, stringData: { two: '2' } }),
      wanting,
    );
    expect(Object.entries(fields).map(([name, field]) => [name, field.hidden?.reveal() ?? field.fault])).toEqual([
      ['one', '1'],
      ['bad', 'is not valid base64'],
      ['two', '2'],
    ]);
    expect(JSON.stringify(fields)).not.toContain('"2"');
  });

  test('that is a credential and wanted as well holds both forms of one field', () => {
    const labels = { 'konghq.com/credential': 'key-auth' };
    const { key } = sealedFields(secret(labels, { data: { key: base64('planted') } }), wanting);
    expect(key?.digest).toBe(digest('key-auth', 'planted').toString('base64url'));
    expect(key?.hidden?.reveal()).toBe('planted');
  });

  test('takes a field of any name for what it is', () => {
    const data = JSON.parse(`{"__proto__": "${base64('p')}", "constructor": "${base64('c')}"}`) as object;
    const fields = sealedFields(secret({}, { data }), wanting);
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
    expect(Object.entries(fields).map(([name, field]) => [name, field.hidden?.reveal()])).toEqual([
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ]);
  });
});
