import { expect, test } from 'vitest';
import { credentialKey, credentialPlace, type CredentialEntry } from '#table/credential-entry.ts';
import { createLastUsed } from '#table/last-used.ts';

const place = (secret: string, consumer: string) => ({ namespace: 'default', secret, consumer });

function entry(secret: string, consumer: string, changes: Partial<CredentialEntry> = {}): CredentialEntry {
  return {
    kind: 'credential',
    key: credentialKey(place(secret, consumer)),
    digest: 'AAAAAAAAAAAAAAAAAAAAAA',
    credentialId: `uid-of-${secret}`,
    consumer: { id: `id-of-${consumer}`, namespace: 'default', username: consumer },
    ...changes,
  };
}

const use = (secret: string, consumer: string, minute: number) => ({
  credentialId: `uid-of-${secret}`,
  consumerId: `id-of-${consumer}`,
  minute,
});

function withEntries(...put: readonly CredentialEntry[]) {
  const lastUsed = createLastUsed();
  lastUsed.change({ put, remove: [] });
  return lastUsed;
}

test('the objects behind a key can be read back, an @ in a name included', () => {
  for (const name of ['bob-2027', 'a@b', 'a@KongConsumer']) {
    expect(credentialPlace(credentialKey(place(name, name)))).toEqual(place(name, name));
  }
  expect(credentialPlace('credential:7')).toBeUndefined();
});

test('what is later than was known is told, and nothing else', () => {
  const lastUsed = withEntries(entry('a', 'bob'));
  expect(lastUsed.minuteOf(place('a', 'bob'))).toBeUndefined();
  expect(lastUsed.take([use('a', 'bob', 10)])).toEqual([{ ...place('a', 'bob'), minute: 10 }]);
  expect(lastUsed.take([use('a', 'bob', 10), use('a', 'bob', 9)])).toEqual([]); // two workers, one of them behind
  expect(lastUsed.take([use('a', 'bob', 12)])).toEqual([{ ...place('a', 'bob'), minute: 12 }]);
  expect(lastUsed.minuteOf(place('a', 'bob'))).toBe(12);
});

test('of what is not in force nothing is kept', () => {
  const lastUsed = withEntries(entry('a', 'bob'));
  expect(lastUsed.take([use('b', 'bob', 10), use('a', 'eve', 10)])).toEqual([]);
  lastUsed.change({ put: [], remove: [entry('a', 'bob')] });
  expect(lastUsed.take([use('a', 'bob', 10)])).toEqual([]);
});

test('a credential that is gone takes its minute with it', () => {
  const lastUsed = withEntries(entry('a', 'bob'));
  lastUsed.take([use('a', 'bob', 10)]);
  lastUsed.change({ put: [], remove: [entry('a', 'bob')] });
  lastUsed.change({ put: [entry('a', 'bob')], remove: [] });
  expect(lastUsed.minuteOf(place('a', 'bob'))).toBeUndefined();
});

test('a Secret that was made anew under its name begins anew', () => {
  const lastUsed = withEntries(entry('a', 'bob'));
  lastUsed.take([use('a', 'bob', 10)]);
  lastUsed.change({ put: [entry('a', 'bob', { credentialId: 'another' })], remove: [entry('a', 'bob')] });
  expect(lastUsed.minuteOf(place('a', 'bob'))).toBeUndefined();
  expect(lastUsed.take([use('a', 'bob', 11)])).toEqual([]);
  expect(lastUsed.take([{ credentialId: 'another', consumerId: 'id-of-bob', minute: 11 }])).toHaveLength(1);
});

test('a credential that changes otherwise keeps its minute', () => {
  const lastUsed = withEntries(entry('a', 'bob'));
  lastUsed.take([use('a', 'bob', 10)]);
  const rotated = entry('a', 'bob', { digest: 'BAAAAAAAAAAAAAAAAAAAAA', expiresAtMs: 1 });
  lastUsed.change({ put: [rotated], remove: [entry('a', 'bob')] });
  expect(lastUsed.minuteOf(place('a', 'bob'))).toBe(10);
  expect(lastUsed.take([use('a', 'bob', 11)])).toHaveLength(1);
});

test('two credentials with one id, a username that looks like a uid, are told apart by their consumers', () => {
  const lastUsed = withEntries(entry('a', 'bob'), entry('b', 'eve', { credentialId: 'uid-of-a' }));
  expect(lastUsed.take([use('a', 'eve', 10)])).toEqual([{ ...place('b', 'eve'), minute: 10 }]);
  expect(lastUsed.take([use('a', 'bob', 11)])).toEqual([{ ...place('a', 'bob'), minute: 11 }]);
  lastUsed.change({ put: [], remove: [entry('b', 'eve', { credentialId: 'uid-of-a' })] });
  expect(lastUsed.take([use('a', 'eve', 12)])).toEqual([]);
  expect(lastUsed.take([use('a', 'bob', 12)])).toHaveLength(1);
});
