import { expect, test } from 'vitest';
import { lastUsesIn, lastUsesStatus } from '#resources/last-used.ts';

const noon = Date.parse('2026-11-25T12:00:00Z');

test('what is written reads back', () => {
  const uses = { consumerMs: noon + 60_000, bySecret: new Map([['a', noon]]) };
  expect(lastUsesStatus(uses)).toEqual({
    lastUsedTime: '2026-11-25T12:01:00Z',
    credentials: [{ name: 'a', lastUsedTime: '2026-11-25T12:00:00Z' }],
  });
  expect(lastUsesIn(lastUsesStatus(uses))).toEqual(uses);
});

test('where nothing was used nothing is written', () => {
  expect(lastUsesStatus({ consumerMs: undefined, bySecret: new Map() })).toEqual({});
});

test.for([
  [undefined],
  [null],
  ['text'],
  [{ lastUsedTime: 7, credentials: 'a' }],
  [{ lastUsedTime: 'yesterday', credentials: [null, 7, { name: 'a' }, { name: 'b', lastUsedTime: 'soon' }] }],
  [{ credentials: [{ lastUsedTime: '2026-11-25T12:00:00Z' }] }],
])('a status that says nothing of it: %j', ([status]) => {
  expect(lastUsesIn(status)).toEqual({ consumerMs: undefined, bySecret: new Map() });
});
