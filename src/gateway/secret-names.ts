import { pluginHandlers } from '#plugins/handlers.ts';
import { touches, type TablePatch } from '#table/patch.ts';
import type { PluginEntry } from '#table/plugin-entry.ts';

/** Names that callers put secrets under whatever the plugins say, in lower case. */
const usual = [
  'apikey',
  'api_key',
  'api-key',
  'key',
  'token',
  'access_token',
  'id_token',
  'refresh_token',
  'jwt',
  'password',
  'secret',
  'client_secret',
  'authorization',
  'signature',
  'sig',
];

/** Names of fields and arguments whose values are never written down. */
export interface SecretNames {
  /** @param name in lower case */
  has(name: string): boolean;
  tableChanged(patch: TablePatch): void;
}

/**
 * The usual ones and those under which any plugin of the table looks for a key: a client may send the key of one route
 * to another.
 */
export function createSecretNames(table: { plugins(): Iterable<PluginEntry> }): SecretNames {
  let names = new Set(usual);
  return {
    has: (name) => names.has(name),
    tableChanged(patch) {
      if (!touches(patch, 'plugin')) return;
      names = new Set(usual);
      for (const { type, config, broken } of table.plugins()) {
        if (broken !== undefined) continue; // it reads no key, and its config may be anything
        for (const name of pluginHandlers.get(type)?.secretNames?.(config) ?? []) names.add(name.toLowerCase());
      }
    },
  };
}
