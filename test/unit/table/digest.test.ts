import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeDigest } from '#table/digest.ts';

const digest = makeDigest(Buffer.alloc(32, 7));
const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

test('whoever knows but the SHA-256 of a secret gets the digest of the secret', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (secret) => {
      expect(digest.ofHash('key-auth', sha256(secret))).toEqual(digest('key-auth', secret));
    }),
  );
});

test('digests of other types, other secrets and other processes do not meet', () => {
  const one = digest('key-auth', 'k');
  expect(digest('basic-auth', 'k')).not.toEqual(one);
  expect(digest('key-auth', 'l')).not.toEqual(one);
  expect(makeDigest(Buffer.alloc(32, 8))('key-auth', 'k')).not.toEqual(one);
  // The hash as text is a key like any other.
  expect(digest('key-auth', `sha256:${sha256('k').toString('hex')}`)).not.toEqual(one);
});
