import { orAnonymous } from '#plugins/anonymous.ts';
import { quoted } from '#plugins/challenge.ts';
import type { Exchange, PluginHandler, Refusal } from '#plugins/plugin.ts';
import type { BasicAuthConfig } from './schema.ts';

/** Where credentials may stand; the first that has any decides. */
const headers = ['proxy-authorization', 'authorization'] as const;

interface Found {
  readonly header: string;
  /** `<username>:<password>`; undefined when it cannot be read. */
  readonly pair: string | undefined;
}

/** RFC 7617 section 2: base64 of user-id, a colon and a password; a user-id has no colon. */
function pairOf(value: string): string | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(value.trim())?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const pair = bytes.toString('utf8');
  return pair.includes(':') && Buffer.from(pair, 'utf8').equals(bytes) ? pair : undefined;
}

/** A header that is repeated, or of another scheme alone, holds no credentials of ours. */
function findPair(exchange: Exchange): Found | undefined {
  for (const header of headers) {
    const values = exchange.headerValues(header);
    const [value] = values;
    if (value === undefined || !/^basic(?: |$)/i.test(value.trim())) continue;
    return { header, pair: values.length === 1 ? pairOf(value) : undefined };
  }
  return undefined;
}

function check({ realm }: BasicAuthConfig, exchange: Exchange, found: Found | undefined): Refusal | undefined {
  const refuse = (outcome: string): Refusal => ({
    status: 401,
    message: 'Unauthorized',
    headers: [['WWW-Authenticate', `Basic realm=${quoted(realm)}`]],
    outcome,
  });
  if (found === undefined) return refuse('no-credentials');
  if (found.pair === undefined) return refuse('unreadable-credentials');
  const credential = exchange.findCredential('basic-auth', found.pair);
  if (credential === 'wrong-namespace') return refuse(credential);
  if (typeof credential === 'string') return refuse(`${credential}-credentials`);
  exchange.setIdentity({ consumer: credential.consumer, credentialId: credential.credentialId });
  return undefined;
}

/** Lets in who has a username and its password. */
export const basicAuthHandler: PluginHandler<BasicAuthConfig> = {
  name: 'basic-auth',
  access(config, exchange, context) {
    // With `anonymous` several plugins mean "or": an earlier one that let the caller in is enough.
    if (config.anonymous !== undefined && exchange.identity?.credentialId !== undefined) return undefined;
    const found = findPair(exchange);
    if (config.hide_credentials && found !== undefined) exchange.removeHeader(found.header);
    return orAnonymous({ anonymous: config.anonymous, exchange, context }, check(config, exchange, found));
  },
};
