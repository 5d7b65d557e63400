import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Finds the addresses that a name leads to. */
export interface NameResolver {
  /** An address of the name, each in its turn; undefined if it leads nowhere. A promise only if DNS must be asked. */
  next(name: string): string | undefined | Promise<string | undefined>;
}

/** What a name led to when it was last asked. */
interface Known {
  readonly addresses: readonly string[];
  readonly untilMs: number;
  turn: number;
}

interface Found {
  readonly addresses: readonly string[];
  readonly ttlSeconds: number;
  /** Nobody could say; what was known before is then better than nothing. */
  readonly isUnsure?: boolean;
}

/** What the operating system says has no TTL (/etc/hosts, search domains). */
const systemTtlSeconds = 5;
/** A name that leads nowhere is asked again after this long; Kong's `dns_error_ttl`. */
const nowhereSeconds = 1;
/** One question to one server; there are two attempts. */
const questionTimeoutMs = 2_000;
/** At most this many names are kept: so many that it bounds memory alone. */
const maxNames = 10_000;

const nowhere: Found = { addresses: [], ttlSeconds: nowhereSeconds };

/** Names that no server may be asked for, and what they are (RFC 6761 sections 6.3 and 6.4). */
const isLocal = (name: string): boolean => /(?:^|\.)localhost\.?$/i.test(name);
const isInvalid = (name: string): boolean => /(?:^|\.)invalid\.?$/i.test(name);

const found = (records: readonly { readonly address: string; readonly ttl: number }[]): Found => ({
  addresses: records.map(({ address }) => address),
  ttlSeconds: Math.min(...records.map(({ ttl }) => ttl)),
});

async function askSystem(name: string): Promise<Found> {
  try {
    const records = await lookup(name, { all: true });
    return found(records.map(({ address }) => ({ address, ttl: systemTtlSeconds })));
  } catch {
    return nowhere;
  }
}

/** Answers that settle it: there is no such name, or it has no such record. */
const settled = new Set(['ENOTFOUND', 'ENODATA']);

/** What DNS says. IPv4 first: an upstream that has both is reached by it from every node. */
async function askDns(resolver: Resolver, name: string): Promise<Found> {
  let isUnsure = false;
  const none = (error: NodeJS.ErrnoException): [] => {
    isUnsure ||= !settled.has(error.code ?? '');
    return [];
  };
  const four = await resolver.resolve4(name, { ttl: true }).catch(none);
  if (four.length > 0) return found(four);
  const six = await resolver.resolve6(name, { ttl: true }).catch(none);
  return six.length > 0 ? found(six) : { ...nowhere, isUnsure };
}

export interface ResolverOptions {
  /** `address:port` of DNS servers; those of the operating system when absent. */
  readonly servers?: readonly string[];
  /** The clock that TTLs are counted by. */
  readonly nowMs?: () => number;
}

/**
 * Names to addresses by DNS, each kept for as long as its TTL says and asked for once at a time. What DNS does
 * not know the operating system may: /etc/hosts, and names that are whole with a search domain only.
 */
export function nameResolver(options: ResolverOptions = {}): NameResolver {
  const nowMs = options.nowMs ?? (() => performance.now());
  const resolver = new Resolver({ timeout: questionTimeoutMs, tries: 2 });
  if (options.servers !== undefined) resolver.setServers(options.servers);
  const known = new Map<string, Known>();
  const asking = new Map<string, Promise<string | undefined>>();

  const ask = async (name: string): Promise<Found> => {
    if (isInvalid(name)) return nowhere;
    if (isLocal(name)) return askSystem(name);
    const told = await askDns(resolver, name);
    if (told.addresses.length > 0) return told;
    return { ...told, ...(await askSystem(name)) };
  };

  const take = (entry: Known): string | undefined => {
    entry.turn = (entry.turn + 1) % Math.max(1, entry.addresses.length);
    return entry.addresses[entry.turn];
  };

  const learn = async (name: string): Promise<string | undefined> => {
    const { addresses: told, ttlSeconds, isUnsure } = await ask(name);
    const addresses = told.length === 0 && isUnsure === true ? (known.get(name)?.addresses ?? []) : told;
    asking.delete(name);
    known.delete(name);
    if (known.size >= maxNames) known.delete(known.keys().next().value ?? '');
    const entry: Known = { addresses, untilMs: nowMs() + ttlSeconds * 1000, turn: -1 };
    known.set(name, entry);
    return take(entry);
  };

  return {
    next(name) {
      if (isIP(name) !== 0) return name;
      const entry = known.get(name);
      if (entry !== undefined && nowMs() < entry.untilMs) return take(entry);
      let answer = asking.get(name);
      if (answer === undefined) asking.set(name, (answer = learn(name)));
      return answer;
    },
  };
}
