import { orAnonymous } from '#plugins/anonymous.ts';
import { quoted } from '#plugins/challenge.ts';
import type { Exchange, PluginContext, PluginHandler, Refusal } from '#plugins/plugin.ts';
import { findKey, headerSpellings, type KeySearch } from './find-key.ts';
import { hideKey } from './hide-key.ts';
import type { KeyAuthConfig } from './schema.ts';

interface Run {
  readonly config: KeyAuthConfig;
  readonly exchange: Exchange;
  readonly context: PluginContext;
}

/** RFC 9110 section 11.6.1. */
function challenge(realm: string | undefined): string {
  return realm === undefined ? 'Key' : `Key realm=${quoted(realm)}`;
}

function unauthorized({ config }: Run, message: string, outcome: string): Refusal {
  return { status: 401, message, headers: [['WWW-Authenticate', challenge(config.realm)]], outcome };
}

/** The client cannot tell an expired key from an unknown one; the log of attempts can. */
function check(run: Run, search: KeySearch): Refusal | undefined {
  if (search.type === 'none') return unauthorized(run, 'No API key found in request', 'no-key');
  if (search.type === 'duplicate') return unauthorized(run, 'Duplicate API key found', 'duplicate-key');
  const credential = run.exchange.findCredential('key-auth', search.key);
  if (typeof credential === 'string') {
    return unauthorized(run, 'Unauthorized', credential === 'wrong-namespace' ? credential : `${credential}-key`);
  }
  run.exchange.setIdentity({ consumer: credential.consumer, credentialId: credential.credentialId });
  return undefined;
}

function conclude(run: Run, search: KeySearch): Refusal | undefined | Promise<Refusal | undefined> {
  const hidden = hideKey(run.config, run.exchange, search);
  const decide = (): Refusal | undefined =>
    orAnonymous({ ...run, anonymous: run.config.anonymous }, check(run, search));
  return hidden === undefined ? decide() : hidden.then(decide);
}

/** Lets in who has a key (kong-facts 1). */
export const keyAuthHandler: PluginHandler<KeyAuthConfig> = {
  name: 'key-auth',
  secretNames: ({ key_names: names }) => names.flatMap(headerSpellings),
  access(config, exchange, context) {
    if (exchange.method === 'OPTIONS' && !config.run_on_preflight) return undefined;
    // With `anonymous` several plugins mean "or": an earlier one that let the caller in is enough.
    if (config.anonymous !== undefined && exchange.identity?.credentialId !== undefined) return undefined;
    const run = { config, exchange, context };
    const search = findKey(config, exchange);
    return search instanceof Promise ? search.then(async (done) => conclude(run, done)) : conclude(run, search);
  },
};
