import { expect, test } from 'vitest';
import { credentialKey, credentialPlace, type CredentialEntry } from '#table/credential-entry.ts';
import type { CredentialUse } from '#table/credential-use.ts';
import { createLastUsed, type LastUse } from '#table/last-used.ts';

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

/** What is told of comes back from whatever led to it. */
function withEntries(...put: readonly CredentialEntry[]) {
  let told: LastUse[] = [];
  let gone: string[] = [];
  const lastUsed = createLastUsed({
    used: (uses) => void told.push(...uses),
    gone: (credentials) => void gone.push(...credentials.map(({ secret }) => secret)),
  });
  lastUsed.change({ put, remove: [] });
  return {
    find: lastUsed.find,
    take(uses: readonly CredentialUse[]): LastUse[] {
      told = [];
      lastUsed.take(uses);
      return told;
    },
    change(change: {
      readonly put: readonly CredentialEntry[];
      readonly remove: readonly CredentialEntry[];
    }): string[] {
      gone = [];
      lastUsed.change(change);
      return gone;
    },
  };
}

test('the objects behind a key can be read back, an @ in a name included', () => {
  for (const name of ['bob-2027', 'a@b', 'a@KongConsumer']) {
    expect(credentialPlace(credentialKey(place(name, name)))).toEqual(place(name, name));
  }
  expect(credentialPlace('credential:7')).toBeUndefined();
});

test('what is later than was known is told, and nothing else', () => {
  const lastUsed = withEntries(entry('a', 'bob'));
  expect(lastUsed.find(place('a', 'bob'))).toBeUndefined();
  expect(lastUsed.take([use('a', 'bob', 10)])).toEqual([{ ...place('a', 'bob'), atMs: 10 * 60_000 }]);
  expect(lastUsed.take([use('a', 'bob', 10), use('a', 'bob', 9)])).toEqual([]); // two workers, one of them behind
  expect(lastUsed.take([use('a', 'bob', 12)])).toEqual([{ ...place('a', 'bob'), atMs: 12 * 60_000 }]);
  expect(lastUsed.find(place('a', 'bob'))).toBe(12 * 60_000);
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
  expect(lastUsed.change({ put: [], remove: [entry('a', 'bob')] })).toEqual(['a']);
  expect(lastUsed.change({ put: [entry('a', 'bob')], remove: [] })).toEqual([]);
  expect(lastUsed.find(place('a', 'bob'))).toBeUndefined();
});

test('a Secret that was made anew under its name begins anew', () => {
  const lastUsed = withEntries(entry('a', 'bob'));
  lastUsed.take([use('a', 'bob', 10)]);
  const anew = { put: [entry('a', 'bob', { credentialId: 'another' })], remove: [entry('a', 'bob')] };
  expect(lastUsed.change(anew)).toEqual(['a']);
  expect(lastUsed.find(place('a', 'bob'))).toBeUndefined();
  expect(lastUsed.take([use('a', 'bob', 11)])).toEqual([]);
  expect(lastUsed.take([{ credentialId: 'another', consumerId: 'id-of-bob', minute: 11 }])).toHaveLength(1);
});

test('a credential that changes otherwise keeps its minute', () => {
  const lastUsed = withEntries(entry('a', 'bob'));
  lastUsed.take([use('a', 'bob', 10)]);
  const rotated = entry('a', 'bob', { digest: 'BAAAAAAAAAAAAAAAAAAAAA', expiresAtMs: 1 });
  expect(lastUsed.change({ put: [rotated], remove: [entry('a', 'bob')] })).toEqual([]);
  expect(lastUsed.find(place('a', 'bob'))).toBe(10 * 60_000);
  expect(lastUsed.take([use('a', 'bob', 11)])).toHaveLength(1);
});

test('two credentials with one id, a username that looks like a uid, are told apart by their consumers', () => {
  const lastUsed = withEntries(entry('a', 'bob'), entry('b', 'eve', { credentialId: 'uid-of-a' }));
  expect(lastUsed.take([use('a', 'eve', 10)])).toEqual([{ ...place('b', 'eve'), atMs: 10 * 60_000 }]);
  expect(lastUsed.take([use('a', 'bob', 11)])).toEqual([{ ...place('a', 'bob'), atMs: 11 * 60_000 }]);
  lastUsed.change({ put: [], remove: [entry('b', 'eve', { credentialId: 'uid-of-a' })] });
  expect(lastUsed.take([use('a', 'eve', 12)])).toEqual([]);
  expect(lastUsed.take([use('a', 'bob', 12)])).toHaveLength(1);
});
