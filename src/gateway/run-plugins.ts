import { pluginHandlers } from '#plugins/handlers.ts';
import { pluginOrder, type PluginHandler, type Refusal } from '#plugins/plugin.ts';
import type { ConsumerIdentity } from '#table/consumer-identity.ts';
import type { PluginEntry } from '#table/plugin-entry.ts';
import type { PluginCandidate, PluginSlot, RouteEntry } from '#table/route-entry.ts';
import type { ProxyExchange } from './exchange.ts';

/** Told of every decision on a caller, for the log of attempts. */
export interface AttemptListener {
  attempted(exchange: ProxyExchange, plugin: PluginEntry, refusal: Refusal | undefined): void;
}

/** A plugin that is referred to and cannot run. Letting the request through would open what it guards. */
const notInForce: Refusal = {
  status: 503,
  message: 'a plugin of this route is not in force',
  outcome: 'plugin-not-in-force',
};

type Find = (key: string) => PluginEntry | undefined;

/** The plugins of a request as they run. A class for the same reason as `ProxyExchange`. */
class Run {
  readonly find: Find;
  readonly exchange: ProxyExchange;
  readonly #listener: AttemptListener;
  slots: readonly PluginSlot[];
  /** The consumer whose own plugins `slots` have taken in. */
  consumer: ConsumerIdentity | undefined = undefined;

  constructor(exchange: ProxyExchange, find: Find, listener: AttemptListener) {
    this.exchange = exchange;
    this.find = find;
    this.#listener = listener;
    this.slots = exchange.match.route.plugins;
  }

  from(start: number): Refusal | undefined | Promise<Refusal | undefined> {
    for (let i = start; i < this.slots.length; i += 1) {
      const chosen = choose(this.slots[i], this);
      if (chosen === undefined) continue;
      if (chosen === 'not-in-force') return notInForce;
      const handler = pluginHandlers.get(chosen.type);
      if (chosen.broken !== undefined || handler === undefined) return notInForce;
      this.exchange.pluginAdmits = chosen.admits;
      const answer = handler.access(chosen.config, this.exchange, chosen);
      if (answer instanceof Promise) {
        return answer.then((refusal) => this.#concluded(i, chosen, handler, refusal) ?? this.from(i + 1));
      }
      if (this.#concluded(i, chosen, handler, answer) !== undefined) return answer;
    }
    return isCallerInForce(this) ? undefined : notInForce;
  }

  #concluded(
    at: number,
    plugin: PluginEntry,
    { isIndifferent }: PluginHandler,
    refusal: Refusal | undefined,
  ): Refusal | undefined {
    if (isIndifferent !== true) this.#listener.attempted(this.exchange, plugin, refusal);
    if (refusal === undefined) takeInConsumer(at, this);
    return refusal;
  }
}

/**
 * Runs the plugins of a request's route in order until one refuses. Stays synchronous unless a plugin must wait. What
 * cannot be run refuses: never fail open.
 */
export function runPlugins(
  exchange: ProxyExchange,
  find: Find,
  listener: AttemptListener,
): Refusal | undefined | Promise<Refusal | undefined> {
  return new Run(exchange, find, listener).from(0);
}

/** Whether all plugins of the caller can be had. Those whose place has passed, or that nobody knows, count too. */
function isCallerInForce({ exchange, find }: Run): boolean {
  const consumer = exchange.identity?.consumer;
  if (!hasPlugins(consumer)) return true;
  // Those that run for pairs alone are for their routes to look after.
  return keysOf(consumer).every((key) => {
    const entry = find(key);
    return entry !== undefined && (entry.broken === undefined || !entry.isEnabled);
  });
}

/**
 * Of one type the instance that runs, by what it is attached to: the consumer and the route, the consumer and
 * the service, a group and the route, a group and the service, the consumer, a group, the route, the service,
 * everything (kong-facts 2.8). One that is disabled leaves its place to the next.
 */
function choose(slot: PluginSlot | undefined, { find, exchange }: Run): PluginEntry | 'not-in-force' | undefined {
  const consumer = exchange.identity?.consumer;
  const candidates = slot?.candidates ?? [];
  if (!hasPlugins(consumer)) return mostSpecific(candidates, consumer, find);
  return mostSpecific([...candidates, ...ownCandidates(slot?.type, consumer, find)], consumer, find);
}

function mostSpecific(
  candidates: readonly Candidate[],
  consumer: ConsumerIdentity | undefined,
  find: Find,
): PluginEntry | 'not-in-force' | undefined {
  let best: PluginEntry | 'not-in-force' | undefined;
  let bestPlace = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const entry = find(candidate.key);
    const place = placeOf(candidate, entry, consumer);
    if (place === undefined || place >= bestPlace) continue;
    best = entry ?? 'not-in-force';
    bestPlace = place;
  }
  return best;
}

/**
 * All that decides whether a caller may pass a route: what runs of each type before it is known who calls, what runs for
 * the caller, and the plugins of the caller's own. Undefined stands for what nobody has.
 */
export function decidingPlugins(
  route: RouteEntry,
  find: Find,
  consumer: ConsumerIdentity | undefined,
): readonly (PluginEntry | 'not-in-force' | undefined)[] {
  const chosenFor = (caller: ConsumerIdentity | undefined) =>
    route.plugins.map(({ type, candidates }) =>
      mostSpecific([...candidates, ...ownCandidates(type, caller, find)], caller, find),
    );
  if (consumer === undefined) return chosenFor(undefined);
  return [...chosenFor(undefined), ...chosenFor(consumer), ...keysOf(consumer).map(find)];
}

type CandidateScope = PluginCandidate['scope'] | 'consumer' | 'group';

interface Candidate extends Pick<PluginCandidate, 'key' | 'narrowedTo'> {
  readonly scope: CandidateScope;
}

const places: Readonly<Record<string, number>> = {
  'consumers+route': 0,
  'consumers+service': 1,
  'groups+route': 2,
  'groups+service': 3,
  consumer: 4,
  group: 5,
  route: 6,
  service: 7,
  global: 8,
};

/** How specific a candidate is for this caller, the smallest most; undefined if it is not to run for them. */
function placeOf(
  { key, scope, narrowedTo }: Candidate,
  entry: PluginEntry | undefined,
  consumer: ConsumerIdentity | undefined,
): number | undefined {
  if (entry?.isEnabled === false) return undefined;
  if (narrowedTo === undefined) return places[scope];
  return isAttached(key, narrowedTo, consumer) ? places[`${narrowedTo}+${scope}`] : undefined;
}

function isAttached(
  key: string,
  to: 'consumers' | 'groups',
  { plugins, pairPlugins, groupPlugins, groupPairPlugins }: Partial<ConsumerIdentity> = {},
): boolean {
  const lists = to === 'consumers' ? [plugins, pairPlugins] : [groupPlugins, groupPairPlugins];
  return lists.some((keys) => keys?.includes(key) === true);
}

function hasPlugins(consumer: ConsumerIdentity | undefined): consumer is ConsumerIdentity {
  return consumer?.plugins !== undefined || consumer?.groupPlugins !== undefined;
}

/** Keys of the plugins that a caller or its groups have on every route. */
function keysOf({ plugins = [], groupPlugins = [] }: ConsumerIdentity): readonly string[] {
  return [...plugins, ...groupPlugins];
}

/** The plugins of a type that the caller or its groups have on every route. */
function ownCandidates(type: string | undefined, consumer: ConsumerIdentity | undefined, find: Find): Candidate[] {
  if (type === undefined || consumer === undefined) return [];
  const isOwn = (key: string): boolean => find(key)?.type === type;
  return [
    ...(consumer.plugins ?? []).filter(isOwn).map((key) => ({ key, scope: 'consumer' as const })),
    ...(consumer.groupPlugins ?? []).filter(isOwn).map((key) => ({ key, scope: 'group' as const })),
  ];
}

/**
 * Once a caller is known, adds slots for the types of its own plugins that the route does not have. They run
 * if their place is still to come.
 */
function takeInConsumer(at: number, run: Run): void {
  const consumer = run.exchange.identity?.consumer;
  if (consumer === run.consumer) return;
  run.consumer = consumer;
  if (!hasPlugins(consumer)) return;
  const slots = [...run.slots];
  const here = rank(slots[at]?.type);
  const known = new Set(slots.map(({ type }) => type));
  for (const type of new Set(keysOf(consumer).map((key) => run.find(key)?.type))) {
    if (known.has(type) || rank(type) <= here) continue;
    const later = slots.findIndex((slot, i) => i > at && rank(slot.type) > rank(type));
    slots.splice(later === -1 ? slots.length : later, 0, { type: type ?? '', candidates: [] });
  }
  run.slots = slots;
}

const rank = (type: string | undefined): number => (pluginOrder as readonly string[]).indexOf(type ?? '');
