import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { CredentialEntry } from '#table/credential-entry.ts';
import { openCredentialIndex } from '#table/credential-index-reader.ts';
import { CredentialIndex } from '#table/credential-index.ts';
import { digestOf, entryOf, neverPut, sameHome, versionOf } from '../../support/numbered-credential.ts';

const uuid = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0';

/** Digests as real ones are: no two alike in any part. */
const realDigest = (number: number): Buffer => hash('sha256', String(number), 'buffer').subarray(0, 16);
const realEntry = (number: number): CredentialEntry => ({
  ...entryOf(number, 1),
  digest: realDigest(number).toString('base64url'),
});

const find = (index: CredentialIndex, digest: Buffer, nowMs = 0) =>
  openCredentialIndex(index.buffer).find(digest, nowMs);

/** The version in which a numbered key is found; undefined if it is unknown. */
function versionIn(index: CredentialIndex, number: number): number | undefined {
  const found = find(index, digestOf(number));
  if (typeof found === 'string') return undefined;
  expect(versionOf(number, found)).toBeDefined();
  return versionOf(number, found);
}

describe('one key', () => {
  test('is unknown until it is put, found then, and unknown once it is removed', () => {
    const index = new CredentialIndex();
    expect(find(index, digestOf(1))).toBe('unknown');
    index.put(entryOf(1, 1));
    expect([index.size, versionIn(index, 1)]).toStrictEqual([1, 1]);
    index.remove(entryOf(1, 1).digest);
    expect([index.size, versionIn(index, 1)]).toStrictEqual([0, undefined]);
    index.put(entryOf(1, 2));
    expect([index.size, versionIn(index, 1)]).toStrictEqual([1, 2]);
  });

  test('is replaced by a put with the same digest', () => {
    const index = new CredentialIndex();
    index.put(entryOf(1, 1));
    index.put(entryOf(1, 2));
    expect([index.size, versionIn(index, 1)]).toStrictEqual([1, 2]);
  });

  test('that is unknown can be removed: nothing happens', () => {
    const index = new CredentialIndex();
    index.put(entryOf(1, 1));
    index.remove(entryOf(2, 1).digest);
    index.remove(entryOf(1 + sameHome, 1).digest);
    expect([index.size, versionIn(index, 1)]).toStrictEqual([1, 1]);
  });

  test('is not found by a digest that differs in any one bit', () => {
    const index = new CredentialIndex();
    index.put(entryOf(1, 1));
    for (let bit = 0; bit < 128; bit += 1) {
      const other = digestOf(1);
      other.writeUInt8(other.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(find(index, other)).toBe('unknown');
    }
  });

  test('changes for a reader that opened the memory before', () => {
    const index = new CredentialIndex();
    const reader = openCredentialIndex(index.buffer);
    expect(reader.find(digestOf(1), 0)).toBe('unknown');
    index.put(entryOf(1, 1));
    expect(reader.find(digestOf(1), 0)).toMatchObject({ credentialId: entryOf(1, 1).credentialId });
    index.remove(entryOf(1, 1).digest);
    expect(reader.find(digestOf(1), 0)).toBe('unknown');
  });

  test.for(['', 'AAAA', `${'A'.repeat(22)}AAAA`])('with the digest %j is a bug', (digest) => {
    const index = new CredentialIndex();
    expect(() => index.put({ ...entryOf(1, 1), digest })).toThrow('a digest has 16 bytes');
    expect(() => index.remove(digest)).toThrow('a digest has 16 bytes');
    expect(index.size).toBe(0);
  });
});

describe('expiry', () => {
  const expiresAtMs = 1_700_000_000_123;

  test.for([
    { nowMs: 0, expected: 'found' },
    { nowMs: expiresAtMs - 1, expected: 'found' },
    { nowMs: expiresAtMs, expected: 'expired' },
    { nowMs: Number.MAX_SAFE_INTEGER, expected: 'expired' },
  ])('at $nowMs the credential is $expected', ({ nowMs, expected }) => {
    const index = new CredentialIndex();
    index.put({ ...entryOf(1, 1), expiresAtMs });
    const found = find(index, digestOf(1), nowMs);
    expect(typeof found === 'object' ? 'found' : found).toBe(expected);
  });

  test('goes with the entry that stated it', () => {
    const index = new CredentialIndex();
    index.put({ ...entryOf(1, 1), expiresAtMs });
    index.put(entryOf(1, 2));
    expect(find(index, digestOf(1), expiresAtMs)).toMatchObject({ credentialId: entryOf(1, 2).credentialId });
    index.put({ ...entryOf(1, 2), expiresAtMs: 0 });
    expect(find(index, digestOf(1))).toBe('expired');
  });
});

describe('texts come back as they were', () => {
  const texts: readonly [title: string, text: string][] = [
    ['a UUID', uuid],
    ['a UUID in upper case', uuid.toUpperCase()],
    ['a UUID without hyphens', uuid.replaceAll('-', '')],
    ['36 characters with a digit too many', `${uuid.slice(0, 8)}0${uuid.slice(9)}`],
    ['36 characters, one of them no digit', uuid.replace('f', 'g')],
    ['36 characters, one of them beyond Latin-1', uuid.replace('f', 'Ā')],
    ['no characters', ''],
    ['one', 'a'],
    ['a name', 'alice@example.com'],
    ['Latin-1', 'Zoë Müller ÿ\u0000'],
    ['UTF-16', '王小明 and Žofie'],
    ['an emoji', '🔑'],
    ['an unpaired surrogate', 'a\ud83d'],
    ...[3, 4, 5, 23, 24, 25, 251, 252, 253, 254, 255, 256, 70_000].flatMap((length): [string, string][] => [
      [`${length} characters`, 'abcdefg'.repeat(length).slice(0, length)],
      [`${length} characters of UTF-16`, 'aβcdefg'.repeat(length).slice(0, length)],
    ]),
  ];

  test.for(texts)('%s', ([, text]) => {
    const index = new CredentialIndex();
    const consumers = [
      { id: text, namespace: 'a' },
      { id: uuid, namespace: 'a', username: text },
      { id: uuid, namespace: text, customId: text },
      { id: text, namespace: text, username: text, customId: text, groups: [text] },
      { id: uuid, namespace: 'a', username: 'alice', customId: text, plugins: [text, text], groupPlugins: ['p'] },
      { id: uuid, namespace: 'a', username: text, customId: 'alice', consumerGroups: ['g', text] },
    ];
    for (const [i, consumer] of consumers.entries()) {
      index.put({ ...entryOf(i, 1), credentialId: text, consumer, expiresAtMs: 1 });
      index.put({ ...entryOf(100 + i, 1), credentialId: text, consumer });
    }
    for (const [i, consumer] of consumers.entries()) {
      expect(find(index, digestOf(i))).toStrictEqual({ credentialId: text, consumer });
      expect(find(index, digestOf(100 + i))).toStrictEqual({ credentialId: text, consumer });
    }
  });
});

describe('many keys', () => {
  test('that share home and tag stay apart', () => {
    const index = new CredentialIndex();
    for (let number = 0; number < 1_000; number += 1) index.put(entryOf(number, 1));
    for (let number = 0; number < 1_000; number += 2) index.remove(entryOf(number, 1).digest);
    for (let number = 0; number < 1_000; number += 1) {
      expect(versionIn(index, number)).toBe(number % 2 === 0 ? undefined : 1);
      expect(find(index, neverPut(number))).toBe('unknown');
    }
  });

  test('take the tombstones of those before them', () => {
    const index = new CredentialIndex({ spareEntries: 64 });
    for (let number = 0; number < 32; number += 1) index.put(entryOf(number, 1));
    for (let number = 0; number < 32; number += 1) index.remove(entryOf(number, 1).digest);
    expect(index.stats().tombstones).toBe(32);
    for (let number = 32; number < 64; number += 1) index.put(entryOf(number, 1));
    expect(index.stats().tombstones).toBe(0);
    for (let number = 0; number < 64; number += 1) expect(versionIn(index, number)).toBe(number < 32 ? undefined : 1);
  });

  test('are replaced where they are, even when there is a tombstone before them', () => {
    const index = new CredentialIndex();
    const [first, second] = [0, sameHome];
    index.put(entryOf(first, 1));
    index.put(entryOf(second, 1));
    index.remove(entryOf(first, 1).digest);
    index.put(entryOf(second, 2));
    expect([index.size, versionIn(index, second)]).toStrictEqual([1, 2]);
    index.remove(entryOf(second, 2).digest);
    expect([index.size, versionIn(index, second)]).toStrictEqual([0, undefined]);
  });

  test('whose tag is all ones are not mistaken for tombstones, nor tombstones for them', () => {
    const index = new CredentialIndex();
    const digests = [1, 2, 3].map((last) => Buffer.concat([Buffer.alloc(12, 0xff), Buffer.alloc(4, last)]));
    for (const digest of digests) index.put({ ...entryOf(1, 1), digest: digest.toString('base64url') });
    for (const digest of digests) {
      expect(find(index, digest)).toBeTypeOf('object');
      index.remove(digest.toString('base64url'));
      expect(find(index, digest)).toBe('unknown');
    }
  });

  test('are found past the last slot', () => {
    const index = new CredentialIndex({ spareEntries: 8 });
    const last = Array.from({ length: 8 }, (_, i) => 1 + i * sameHome); // their home is the last slot
    for (const number of last) index.put(entryOf(number, 1));
    expect(last.map((number) => versionIn(index, number))).toStrictEqual(last.map(() => 1));
    expect(find(index, neverPut(1))).toBe('unknown');
  });
});

describe('memory', () => {
  test('is another when the keys outgrow it, and the old one stays as it was', () => {
    const index = new CredentialIndex({ spareEntries: 1 });
    const left: { readonly buffer: SharedArrayBuffer; readonly keys: number }[] = [];
    for (let number = 0; number < 3_000; number += 1) {
      const { buffer, size } = index;
      index.put(realEntry(number));
      if (index.buffer !== buffer) left.push({ buffer, keys: size });
    }
    expect(index.size).toBe(3_000);
    expect(left.length).toBeGreaterThan(10);
    for (const { buffer, keys } of [...left, { buffer: index.buffer, keys: 3_000 }]) {
      const reader = openCredentialIndex(buffer);
      const found = Array.from({ length: 3_000 }, (_, number) => reader.find(realDigest(number), 0));
      expect(found.filter((credential) => credential !== 'unknown')).toHaveLength(keys);
      expect(found.slice(0, keys)).not.toContain('unknown');
    }
  });

  test('stays the same while as many keys come as were announced, and as many again as there are', () => {
    const index = new CredentialIndex({ spareEntries: 1 });
    index.reserve(3_000);
    const { buffer } = index;
    for (let number = 0; number < 3_000; number += 1) index.put(realEntry(number));
    index.reserve(3_000);
    expect(index.buffer).toBe(buffer);
  });

  test('is not used up by putting what is there already', () => {
    const index = new CredentialIndex();
    for (let number = 0; number < 100; number += 1) index.put(entryOf(number, number));
    const before = index.stats();
    for (let number = 0; number < 100; number += 1) index.put(entryOf(number, number));
    expect(index.stats()).toStrictEqual(before);
  });

  test('does not grow when keys are replaced, or come and go', () => {
    const index = new CredentialIndex({ spareEntries: 100 });
    let most = 0;
    for (let i = 0; i < 20_000; i += 1) {
      index.put(entryOf(i % 50, i % 40));
      index.put(entryOf(100 + i, 1));
      index.remove(entryOf(100 + i, 1).digest);
      most = Math.max(most, index.stats().bytes);
    }
    expect(index.size).toBe(50);
    expect(most).toBeLessThan(40_000);
  });

  test('shrinks when most keys are removed', () => {
    const index = new CredentialIndex({ spareEntries: 10 });
    for (let number = 0; number < 5_000; number += 1) index.put(realEntry(number));
    const most = index.stats().bytes;
    for (let number = 10; number < 5_000; number += 1) index.remove(realEntry(number).digest);
    expect(index.stats().bytes).toBeLessThan(most / 50);
    for (let number = 0; number < 10; number += 1) expect(find(index, realDigest(number))).toBeTypeOf('object');
    expect(find(index, realDigest(10))).toBe('unknown');
  });

  test('has room for a credential that is larger than all the rest', () => {
    const index = new CredentialIndex({ spareEntries: 1 });
    index.put(entryOf(1, 1));
    const consumer = { id: uuid, namespace: 'a', username: 'u'.repeat(100_000) };
    index.put({ ...entryOf(2, 1), consumer });
    expect(find(index, digestOf(2))).toMatchObject({ consumer });
    expect(versionIn(index, 1)).toBe(1);
  });
});

test.for([
  { title: 'ever new memory', spareEntries: 1 },
  { title: 'lasting memory', spareEntries: 5_000 },
])('100,000 changes that look random give what a Map gives: $title', ({ spareEntries }) => {
  const index = new CredentialIndex({ spareEntries });
  const model = new Map<number, number>();
  let state = 1;
  const random = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  let reader = openCredentialIndex(index.buffer);
  let opened = index.buffer;
  const check = (number: number): boolean => {
    if (index.buffer !== opened) reader = openCredentialIndex(index.buffer);
    opened = index.buffer;
    const found = reader.find(digestOf(number), 0);
    return (typeof found === 'string' ? undefined : (versionOf(number, found) ?? 'torn')) === model.get(number);
  };
  for (let step = 0; step < 100_000; step += 1) {
    const number = random(300);
    if (random(2) === 0) {
      index.put(entryOf(number, step));
      model.set(number, step);
    } else {
      index.remove(entryOf(number, 0).digest);
      model.delete(number);
    }
    if (!check(number) || !check(random(300)) || index.size !== model.size) throw new Error(`wrong after step ${step}`);
  }
  for (let number = 0; number < 300; number += 1) expect(check(number)).toBe(true);
});
