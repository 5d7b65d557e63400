import { orAnonymous } from '#plugins/anonymous.ts';
import { quoted } from '#plugins/challenge.ts';
import type { Exchange, PluginHandler, Refusal } from '#plugins/plugin.ts';
import type { Credential } from '#table/credential-entry.ts';
import type { BasicAuthConfig } from './schema.ts';

/** Where credentials may stand; the first that are good decide. */
const headers = ['proxy-authorization', 'authorization'] as const;

/**
 * `<username>:<password>` of one header (RFC 7617 section 2: base64, and a user-id has no colon); undefined if it
 * has none that can be read. Of a header that is repeated nobody knows which one counts.
 */
function pairIn(exchange: Exchange, header: string): string | undefined {
  const [value = '', ...others] = exchange.headerValues(header);
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(value.trim())?.[1];
  if (encoded === undefined || others.length > 0) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const pair = bytes.toString('utf8');
  return pair.includes(':') && Buffer.from(pair, 'utf8').equals(bytes) ? pair : undefined;
}

/** The credential, or what a log of attempts says of its absence; the client cannot tell one from the other. */
function identify({ hide_credentials }: BasicAuthConfig, exchange: Exchange): Credential | string {
  let outcome = 'no-credentials';
  for (const header of headers) {
    const pair = pairIn(exchange, header);
    // Whether or not they are good, as Kong does; a header behind good ones is not looked at and goes on.
    if (hide_credentials) exchange.removeHeader(header);
    if (pair === undefined) continue;
    const credential = exchange.findCredential('basic-auth', pair);
    if (typeof credential !== 'string') return credential;
    outcome = credential === 'wrong-namespace' ? credential : `${credential}-credentials`;
  }
  return outcome;
}

function check(config: BasicAuthConfig, exchange: Exchange): Refusal | undefined {
  const found = identify(config, exchange);
  if (typeof found === 'string') {
    const challenge = ['WWW-Authenticate', `Basic realm=${quoted(config.realm)}`] as const;
    return { status: 401, message: 'Unauthorized', headers: [challenge], outcome: found };
  }
  exchange.setIdentity({ consumer: found.consumer, credentialId: found.credentialId });
  return undefined;
}

/** Lets in who has a username and its password. */
export const basicAuthHandler: PluginHandler<BasicAuthConfig> = {
  name: 'basic-auth',
  access(config, exchange, context) {
    // With `anonymous` several plugins mean "or": an earlier one that let the caller in is enough.
    if (config.anonymous !== undefined && exchange.identity?.credentialId !== undefined) return undefined;
    return orAnonymous({ anonymous: config.anonymous, exchange, context }, check(config, exchange));
  },
};
