import { expect, test } from 'vitest';
import { createSecretNames } from '#gateway/secret-names.ts';
import type { PluginEntry } from '#table/plugin-entry.ts';

const plugin = (names: readonly string[], more: Partial<PluginEntry> = {}) =>
  ({
    kind: 'plugin',
    key: 'plugin:a',
    type: 'key-auth',
    config: { key_names: names },
    ...more,
  }) as unknown as PluginEntry;

function start() {
  const served: PluginEntry[] = [];
  const names = createSecretNames({ plugins: () => served });
  const serve = (...plugins: readonly PluginEntry[]): void => {
    served.splice(0, served.length, ...plugins);
    names.tableChanged({ number: 1, put: plugins, remove: ['plugin:b'] });
  };
  return { names, serve };
}

test('names that a plugin takes keys from are secret while there is one, in every spelling', () => {
  const { names, serve } = start();
  expect(names.has('x_odd')).toBe(false);
  serve(plugin(['X_Odd']));
  expect([names.has('x_odd'), names.has('x-odd')]).toEqual([true, true]);
  serve();
  expect(names.has('x_odd')).toBe(false);
});

test('the usual ones are secret always', () => {
  const { names, serve } = start();
  serve(plugin(['other']));
  expect(['apikey', 'token', 'password'].filter((name) => !names.has(name))).toEqual([]);
});

test('a plugin that is broken, or takes no key, has none', () => {
  const { names, serve } = start();
  serve(plugin(['x'], { broken: 'it is' }), plugin(['y'], { type: 'cors' }));
  expect([names.has('x'), names.has('y')]).toEqual([false, false]);
});
