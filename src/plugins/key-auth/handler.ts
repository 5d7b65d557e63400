import { orAnonymous } from '#plugins/anonymous.ts';
import { quoted } from '#plugins/challenge.ts';
import type { Exchange, PluginContext, PluginHandler, Refusal } from '#plugins/plugin.ts';
import { findKey, headerSpellings, type KeySearch } from './find-key.ts';
import { hideKey } from './hide-key.ts';
import type { KeyAuthConfig } from './schema.ts';

type AnswerHeaders = NonNullable<Refusal['headers']>;

const plainChallenge: AnswerHeaders = [['WWW-Authenticate', 'Key']];

/** RFC 9110 section 11.6.1. */
const challenge = (realm: string | undefined): AnswerHeaders =>
  realm === undefined ? plainChallenge : [['WWW-Authenticate', `Key realm=${quoted(realm)}`]];

function unauthorized({ realm }: KeyAuthConfig, message: string, outcome: string): Refusal {
  return { status: 401, message, headers: challenge(realm), outcome };
}

/** The client cannot tell an expired key from an unknown one; the log of attempts can. */
function check(config: KeyAuthConfig, exchange: Exchange, search: KeySearch): Refusal | undefined {
  if (search.type === 'none') return unauthorized(config, 'No API key found in request', 'no-key');
  if (search.type === 'duplicate') return unauthorized(config, 'Duplicate API key found', 'duplicate-key');
  const credential = exchange.findCredential('key-auth', search.key);
  if (typeof credential === 'string') {
    return unauthorized(config, 'Unauthorized', credential === 'wrong-namespace' ? credential : `${credential}-key`);
  }
  exchange.setIdentity({ consumer: credential.consumer, credentialId: credential.credentialId });
  return undefined;
}

interface Run {
  readonly config: KeyAuthConfig;
  readonly exchange: Exchange;
  readonly context: PluginContext;
}

function decide({ config, exchange, context }: Run, search: KeySearch): Refusal | undefined {
  const refusal = check(config, exchange, search);
  if (refusal === undefined || config.anonymous === undefined) return refusal;
  return orAnonymous({ anonymous: config.anonymous, exchange, context }, refusal);
}

function conclude(run: Run, search: KeySearch): Refusal | undefined | Promise<Refusal | undefined> {
  const hidden = hideKey(run.config, run.exchange, search);
  return hidden === undefined ? decide(run, search) : hidden.then(() => decide(run, search));
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
