/** Of several plugins of one type which runs for whom, and that what cannot run refuses (kong-facts 2.8, 4.7). */
import { describe, expect, test } from 'vitest';
import type { ProxyExchange } from '#gateway/exchange.ts';
import { runPlugins } from '#gateway/run-plugins.ts';
import type { Identity, Refusal } from '#plugins/plugin.ts';
import type { ConsumerIdentity } from '#table/consumer-identity.ts';
import type { PluginEntry } from '#table/plugin-entry.ts';
import type { PluginScope, PluginSlot } from '#table/route-entry.ts';

/** What a plugin of the tests is attached to, the most specific first. */
const places = [
  'consumer+route',
  'consumer+service',
  'group+route',
  'group+service',
  'consumer',
  'group',
  'route',
  'service',
  'global',
] as const;
type Place = (typeof places)[number];

const nobody: ConsumerIdentity = { id: 'nobody', namespace: 'default' };

const scopeOf = (place: Place): PluginScope | undefined =>
  (['route', 'service', 'global'] as const).find((scope) => place === scope || place.endsWith(`+${scope}`));

/** A plugin that ends the request and says which one it is. */
function terminating(place: string, fields: Partial<PluginEntry> = {}): PluginEntry {
  return {
    kind: 'plugin',
    key: place,
    type: 'request-termination',
    isEnabled: true,
    config: { status_code: 418, message: place, echo: false },
    consumers: {},
    ...fields,
  };
}

/** Lets everybody in as one consumer, and a plugin that lets everybody pass. */
function authenticating(consumer: ConsumerIdentity): PluginEntry {
  const config = { key_names: ['apikey'], key_in_header: true, key_in_query: true, run_on_preflight: true };
  return {
    kind: 'plugin',
    key: 'auth',
    type: 'key-auth',
    isEnabled: true,
    config: { ...config, key_in_body: false, hide_credentials: false, anonymous: 'guest' },
    consumers: { guest: consumer },
  };
}

const ofCaller = (attached: readonly Place[]): ConsumerIdentity => {
  const lists = {
    plugins: attached.filter((place) => place === 'consumer'),
    pairPlugins: attached.filter((place) => place.startsWith('consumer+')),
    groupPlugins: attached.filter((place) => place === 'group'),
    groupPairPlugins: attached.filter((place) => place.startsWith('group+')),
  };
  return { ...nobody, ...Object.fromEntries(Object.entries(lists).filter(([, keys]) => keys.length > 0)) };
};

const slotOf = (attached: readonly Place[]): PluginSlot => ({
  type: 'request-termination',
  candidates: attached.flatMap((key) => {
    const scope = scopeOf(key);
    if (scope === undefined) return [];
    const narrowedTo = (['consumers', 'groups'] as const).find((callers) => key.startsWith(`${callers.slice(0, -1)}+`));
    return [{ key, scope, ...(narrowedTo === undefined ? {} : { narrowedTo }) }];
  }),
});

interface Asked {
  readonly entries: readonly PluginEntry[];
  readonly slots: readonly PluginSlot[];
  readonly consumer?: ConsumerIdentity;
}

/** What a request comes to: the message of who refused it, or undefined when it passes. */
async function ask({ entries, slots, consumer }: Asked): Promise<string | undefined> {
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  let identity: Identity | undefined;
  if (consumer !== undefined) byKey.set('auth', authenticating(consumer));
  const auth: PluginSlot = { type: 'key-auth', candidates: [{ key: 'auth', scope: 'global' }] };
  const plugins = consumer === undefined ? slots : [auth, ...slots];
  const exchange = {
    match: { route: { plugins } },
    method: 'GET',
    query: '',
    headerValues: () => [],
    headers: () => [],
    removeHeader: () => undefined,
    setHeader: () => undefined,
    setResponseHeader: () => undefined,
    addResponseHeader: () => undefined,
    findCredential: () => 'unknown',
    get identity() {
      return identity;
    },
    setIdentity: (known: Identity) => (identity = known),
  } as unknown as ProxyExchange;
  const refusal: Refusal | undefined = await runPlugins(exchange, (key) => byKey.get(key), {
    attempted: () => undefined,
  });
  return refusal?.message;
}

const notInForce = 'a plugin of this route is not in force';

describe('of two plugins of one type the more specific runs', () => {
  const pairs = places.flatMap((one, i) => places.slice(i + 1).map((other) => [one, other] as const));

  test.for(pairs)('%s before %s', async ([one, other]) => {
    for (const attached of [
      [one, other],
      [other, one],
    ]) {
      const consumer = ofCaller(attached);
      const entries = attached.map((place) => terminating(place));
      expect(await ask({ entries, slots: [slotOf(attached)], consumer })).toBe(one);
    }
  });

  test.for(pairs)('%s disabled leaves its place to %s', async ([one, other]) => {
    const attached = [one, other];
    const entries = [terminating(one, { isEnabled: false }), terminating(other)];
    expect(await ask({ entries, slots: [slotOf(attached)], consumer: ofCaller(attached) })).toBe(other);
  });

  test.for(pairs)('%s broken does not leave its place to %s', async ([one, other]) => {
    const attached = [one, other];
    const entries = [terminating(one, { broken: 'no' }), terminating(other)];
    expect(await ask({ entries, slots: [slotOf(attached)], consumer: ofCaller(attached) })).toBe(notInForce);
  });
});

test('of two that are equally specific the first named runs', async () => {
  const slot = {
    type: 'request-termination',
    candidates: ['one', 'two'].map((key) => ({ key, scope: 'route' as const, narrowedTo: 'consumers' as const })),
  };
  const entries = ['one', 'two'].map((key) => terminating(key));
  expect(await ask({ entries, slots: [slot], consumer: { ...nobody, pairPlugins: ['two', 'one'] } })).toBe('one');
});

describe('whom a plugin runs for', () => {
  test.for(places)('%s: for the caller that it is attached to', async (place) => {
    const attached = [place];
    expect(await ask({ entries: [terminating(place)], slots: [slotOf(attached)], consumer: ofCaller(attached) })).toBe(
      place,
    );
  });

  const ofSome = places.filter((place) => /consumer|group/.test(place));

  test.for(ofSome)('%s: not for another caller', async (place) => {
    expect(await ask({ entries: [terminating(place)], slots: [slotOf([place])], consumer: nobody })).toBeUndefined();
  });

  test.for(ofSome)('%s: not for a caller that nobody knows', async (place) => {
    expect(await ask({ entries: [terminating(place)], slots: [slotOf([place])] })).toBeUndefined();
  });

  test.for(ofSome.filter((place) => place.includes('+')))('%s: not on another route', async (place) => {
    expect(await ask({ entries: [terminating(place)], slots: [], consumer: ofCaller([place]) })).toBeUndefined();
  });

  test.for(['consumer', 'group'] as const)('%s: on a route without that type', async (place) => {
    expect(await ask({ entries: [terminating(place)], slots: [], consumer: ofCaller([place]) })).toBe(place);
  });

  test('a global plugin that pairs name as well stays global', async () => {
    const consumer = { ...nobody, pairPlugins: ['global'] };
    expect(await ask({ entries: [terminating('global')], slots: [slotOf(['global'])], consumer })).toBe('global');
  });
});

describe('what cannot run refuses', () => {
  test('a plugin that the table lacks', async () => {
    expect(await ask({ entries: [], slots: [slotOf(['route'])] })).toBe(notInForce);
  });

  test('a slot whose type nobody knows', async () => {
    expect(await ask({ entries: [], slots: [{ candidates: [{ key: 'x', scope: 'route' }] }] })).toBe(notInForce);
  });

  test.for(['consumer', 'group'] as const)('a plugin of the caller (%s) that the table lacks', async (place) => {
    expect(await ask({ entries: [], slots: [], consumer: ofCaller([place]) })).toBe(notInForce);
  });

  test.for(['consumer', 'group'] as const)('a plugin of the caller (%s) of an unknown type', async (place) => {
    const entries = [terminating(place, { type: '', broken: 'no' })];
    expect(await ask({ entries, slots: [], consumer: ofCaller([place]) })).toBe(notInForce);
  });

  test('a broken plugin of the caller whose place has passed', async () => {
    const entries = [terminating('consumer', { type: 'key-auth', broken: 'no' })];
    expect(await ask({ entries, slots: [], consumer: ofCaller(['consumer']) })).toBe(notInForce);
  });

  test('but a disabled plugin of the caller lets it pass', async () => {
    const entries = [terminating('consumer', { isEnabled: false })];
    expect(await ask({ entries, slots: [], consumer: ofCaller(['consumer']) })).toBeUndefined();
  });

  test('but one for other pairs, however broken, lets it pass', async () => {
    const entries = [terminating('consumer+route', { broken: 'no' })];
    expect(await ask({ entries, slots: [], consumer: ofCaller(['consumer+route']) })).toBeUndefined();
  });
});
