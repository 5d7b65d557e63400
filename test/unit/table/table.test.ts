/** Which changes workers are told of. */
import { expect, test } from 'vitest';
import type { CredentialEntry } from '#table/credential-entry.ts';
import { createTable } from '#table/table.ts';

const digest = Buffer.alloc(16, 7).toString('base64url');

const credentialOf = (username: string): CredentialEntry => ({
  kind: 'credential',
  key: `credential:${digest}`,
  digest,
  credentialId: 'k',
  consumer: { id: username, username, namespace: 'default' },
});

test('a credential that comes makes no patch; one that is another, or gone, makes an empty one', () => {
  const table = createTable();
  table.apply({ put: [], remove: [] });
  const [bob, rob] = [credentialOf('bob'), credentialOf('rob')];
  const numbers = [
    { put: [bob], remove: [] },
    { put: [bob], remove: [] }, // as a resync says it
    { put: [rob], remove: [bob] },
    { put: [], remove: [rob] },
    { put: [], remove: [rob] },
  ].map((change) => table.apply(change));
  expect(numbers).toEqual([
    undefined,
    undefined,
    { number: 1, put: [], remove: [] },
    { number: 2, put: [], remove: [] },
    undefined,
  ]);
});
