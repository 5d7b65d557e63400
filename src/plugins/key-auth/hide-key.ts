import type { Exchange } from '#plugins/plugin.ts';
import { withoutQueryName } from '#plugins/query.ts';
import { readFieldBody } from '#plugins/request-body.ts';
import { headerSpellings, type KeySearch } from './find-key.ts';
import type { KeyAuthConfig } from './schema.ts';

/**
 * Takes the key out of what is forwarded: under the name that matched, in every place, whether or not the
 * key is good (kong-facts 1.6). Waits only when it must read the body.
 */
export function hideKey(config: KeyAuthConfig, exchange: Exchange, search: KeySearch): Promise<void> | undefined {
  if (!config.hide_credentials || search.type === 'duplicate' || search.name === undefined) return undefined;
  const { name } = search;
  for (const spelling of headerSpellings(name)) exchange.removeHeader(spelling);
  const query = withoutQueryName(exchange.query, name);
  if (query !== exchange.query) exchange.setQuery(query);
  return config.key_in_body ? hideInBody(exchange, search, name) : undefined;
}

async function hideInBody(exchange: Exchange, search: KeySearch, name: string): Promise<void> {
  const body = 'body' in search && search.body !== undefined ? search.body : await readFieldBody(exchange);
  if (body !== undefined && body.get(name).type !== 'absent') await body.remove(name);
}
