import type { Exchange } from '#plugins/plugin.ts';
import { queryValues, withoutQueryName } from '#plugins/query.ts';
import { readFieldBody } from '#plugins/request-body.ts';
import { headerSpellings, type KeySearch } from './find-key.ts';
import type { KeyAuthConfig } from './schema.ts';

type NamedSearch = Exclude<KeySearch, { type: 'duplicate' }> & { readonly name: string };

/**
 * Takes the key out of what is forwarded: under the name that matched, in every place, whether or not the
 * key is good (kong-facts 1.6), and under other names that hold a copy of it. Waits only when it must read the body.
 */
export function hideKey(config: KeyAuthConfig, exchange: Exchange, search: KeySearch): Promise<void> | undefined {
  if (!config.hide_credentials || search.type === 'duplicate' || search.name === undefined) return undefined;
  const { name } = search;
  for (const copy of config.key_names) {
    if (copy === name || holdsCopy(exchange, copy, search)) hideBeforeBody(exchange, copy);
  }
  return config.key_in_body ? hideInBody(config, exchange, { ...search, name }) : undefined;
}

/** Whether header or query has the same key under another name. */
function holdsCopy(exchange: Exchange, name: string, search: KeySearch): boolean {
  if (search.type !== 'found') return false;
  const { key } = search;
  return (
    headerSpellings(name).some((spelling) => exchange.headerValues(spelling).includes(key)) ||
    queryValues(exchange.query, name).includes(key)
  );
}

function hideBeforeBody(exchange: Exchange, name: string): void {
  for (const spelling of headerSpellings(name)) exchange.removeHeader(spelling);
  const query = withoutQueryName(exchange.query, name);
  if (query !== exchange.query) exchange.setQuery(query);
}

async function hideInBody(config: KeyAuthConfig, exchange: Exchange, search: NamedSearch): Promise<void> {
  const body = search.body ?? (await readFieldBody(exchange));
  if (body === undefined) return;
  for (const name of config.key_names) {
    const field = body.get(name);
    const isCopy = search.type === 'found' && field.type === 'text' && field.text === search.key;
    // One after the other: each takes its field out of what the one before has left.
    // oxlint-disable-next-line no-await-in-loop
    if (field.type !== 'absent' && (name === search.name || isCopy)) await body.remove(name);
  }
}
