import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { TablePatch } from '#table/patch.ts';
import type { PluginEntry } from '#table/plugin-entry.ts';
import { Redacted } from '#table/redacted.ts';
import { redactedPlaces, restoreRedacted } from '#table/redacted-places.ts';

const plugin = (key: string, config: unknown): PluginEntry => ({
  kind: 'plugin',
  key,
  type: 'key-auth',
  isEnabled: true,
  config,
  consumers: {},
});

/** What comes of a message at the other end of a real channel. */
async function posted<T>(message: T): Promise<T> {
  const { port1, port2 } = new MessageChannel();
  const received = once(port2, 'message');
  port1.postMessage(message);
  const [value] = (await received) as [T];
  port1.close();
  return value;
}

test('redacted values come through a message, wherever in a patch they stand', async () => {
  const config = {
    secret: new Redacted('one'),
    list: [{ plain: 'p' }, { ['__proto__']: new Redacted('two') }],
    'a.b/c': { deep: new Redacted('') },
  };
  const patch: TablePatch = { number: 7, put: [plugin('a', { plain: 1 }), plugin('b', config)], remove: ['x'] };
  const message = await posted({ patch, redacted: redactedPlaces(patch) });
  restoreRedacted(message.patch, message.redacted);
  const [, revived] = message.patch.put as [PluginEntry, PluginEntry];
  const got = revived.config as typeof config;
  expect([got.secret, got.list[1]?.['__proto__'], got['a.b/c'].deep].map((value) => value?.reveal())).toEqual([
    'one',
    'two',
    '',
  ]);
  expect(JSON.stringify(message.patch)).toBe(JSON.stringify(patch));
});

test('a message that nobody restores has no value', async () => {
  const patch: TablePatch = { number: 1, put: [plugin('a', { secret: new Redacted('one') })], remove: [] };
  expect(JSON.stringify(await posted(patch))).not.toContain('one');
});
