import type { Exchange } from '#plugins/plugin.ts';
import { queryValues } from '#plugins/query.ts';
import { readFieldBody, type FieldBody } from '#plugins/request-body.ts';
import type { KeyAuthConfig } from './schema.ts';

/** Where a search for the key ended. */
export type KeySearch =
  | { readonly type: 'found'; readonly key: string; readonly name: string; readonly body?: FieldBody }
  | { readonly type: 'none'; readonly name?: string; readonly body?: FieldBody }
  | { readonly type: 'duplicate' };

/** What one place says of a name: go on looking, look under the next name, or stop. */
type Place = KeySearch | 'next-place' | 'next-name';

/** An empty value ends the search as well: the request has no key, wherever else one may stand. */
function found(key: string, name: string, body?: FieldBody): KeySearch {
  const where = body === undefined ? { name } : { name, body };
  return key === '' ? { type: 'none', ...where } : { type: 'found', key, ...where };
}

/** A `_` in a name also matches a header that is spelled with `-`, not the other way round. */
export function headerSpellings(name: string): readonly string[] {
  const lower = name.toLowerCase();
  return lower.includes('_') ? [lower, lower.replaceAll('_', '-')] : [lower];
}

function inHeader(exchange: Exchange, name: string): Place {
  const values = name.includes('_')
    ? headerSpellings(name).flatMap((spelling) => exchange.headerValues(spelling))
    : exchange.headerValues(name.toLowerCase());
  if (values.length === 0) return 'next-place';
  return values.length > 1 ? { type: 'duplicate' } : found(values[0] ?? '', name);
}

function inQuery(exchange: Exchange, name: string): Place {
  const values = queryValues(exchange.query, name);
  if (values.length === 0) return 'next-place';
  if (values.length > 1) return { type: 'duplicate' };
  return values[0] === true ? 'next-name' : found(values[0] ?? '', name);
}

function inBody(body: FieldBody, name: string): Place {
  const field = body.get(name);
  if (field.type === 'absent') return 'next-place';
  if (field.type === 'list') return { type: 'duplicate' };
  return field.type === 'other' ? 'next-name' : found(field.text, name, body);
}

/** Header, then query, for one name. */
function beforeBody(config: KeyAuthConfig, exchange: Exchange, name: string): Place {
  const header = config.key_in_header ? inHeader(exchange, name) : 'next-place';
  if (header !== 'next-place') return header;
  return config.key_in_query ? inQuery(exchange, name) : 'next-place';
}

async function fromBody(config: KeyAuthConfig, exchange: Exchange, start: number): Promise<KeySearch> {
  const body = await readFieldBody(exchange);
  for (let i = start; i < config.key_names.length; i += 1) {
    const name = config.key_names[i] ?? '';
    // Of the first name header and query are known to have nothing.
    let place = i === start ? 'next-place' : beforeBody(config, exchange, name);
    if (place === 'next-place' && body !== undefined) place = inBody(body, name);
    if (place !== 'next-place' && place !== 'next-name') return place;
  }
  return { type: 'none' };
}

/**
 * Looks for the key: for each name header, query, body, and the first text that is found ends the search
 * (kong-facts 1.3). Waits only when it must read the body.
 */
export function findKey(config: KeyAuthConfig, exchange: Exchange): KeySearch | Promise<KeySearch> {
  for (let i = 0; i < config.key_names.length; i += 1) {
    const place = beforeBody(config, exchange, config.key_names[i] ?? '');
    if (place === 'next-name') continue;
    if (place !== 'next-place') return place;
    if (config.key_in_body) return fromBody(config, exchange, i);
  }
  return { type: 'none' };
}
