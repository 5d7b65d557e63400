import { expect, test } from 'vitest';
import { createUsedCredentials } from '#gateway/used-credentials.ts';

const credential = (credentialId: string, id = 'bob') => ({ credentialId, consumer: { id, namespace: 'default' } });
const minute = 60_000;

test('a credential is told once a minute, however often it is used', () => {
  const used = createUsedCredentials();
  for (const ms of [0, 1, 30_000, 59_999]) used.note(credential('a'), 10 * minute + ms);
  expect(used.take()).toEqual([{ credentialId: 'a', consumerId: 'bob', minute: 10 }]);
  used.note(credential('a'), 10 * minute + 59_999);
  expect(used.take()).toEqual([]);
  used.note(credential('a'), 11 * minute);
  used.note(credential('b'), 11 * minute);
  expect(used.take()).toEqual([
    { credentialId: 'a', consumerId: 'bob', minute: 11 },
    { credentialId: 'b', consumerId: 'bob', minute: 11 },
  ]);
});

test('of a credential that was used in several minutes the last is told', () => {
  const used = createUsedCredentials();
  for (const now of [10, 11, 12]) used.note(credential('a'), now * minute);
  expect(used.take()).toEqual([{ credentialId: 'a', consumerId: 'bob', minute: 12 }]);
});

test('what one consumer names like the credential of another takes nothing from it', () => {
  const used = createUsedCredentials();
  for (let i = 0; i < 3; i += 1) for (const consumer of ['bob', 'eve']) used.note(credential('a', consumer), minute);
  expect(used.take().map(({ consumerId }) => consumerId)).toEqual(['bob', 'eve']);
});
