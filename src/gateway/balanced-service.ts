import type { ServiceEntry, Target } from '#table/service-entry.ts';
import type { HealthThresholds, UpstreamPolicy } from '#table/upstream-policy.ts';
import { createRing, hashText, type Ring } from './balance-consistent-hashing.ts';
import { chooseByLatency, measureLatency } from './balance-latency.ts';
import { chooseLeastConnections } from './balance-least-connections.ts';
import { chooseInTurn } from './balance-round-robin.ts';
import { slowStartShare } from './balance-slow-start.ts';
import type { ProxyExchange } from './exchange.ts';
import { hashValue } from './hash-input.ts';
import { observe, type Observed } from './health.ts';
import { newPeer, peerName, weightOf, type Choose, type Peer } from './peer.ts';

/** The target of one attempt; it must be released. */
export interface Choice {
  readonly target: Target;
  /** Names of the peers that this request has tried, this one last. */
  readonly tried: readonly string[];
  /** What the request was told apart by; further attempts keep it. */
  readonly hash: number | undefined;
  /** What became of the attempt: a status as soon as there is one, or how it failed. */
  observed(observed: Observed): void;
  /** The attempt is over. May be called again. */
  release(): void;
}

/** A target that requests alone have found unhealthy is tried again after this time. */
const passiveOutMs = 30_000;

const choosers = {
  'round-robin': chooseInTurn,
  'least-connections': chooseLeastConnections,
  latency: chooseByLatency,
} satisfies Record<string, Choose>;

export interface BalanceTimes {
  /** Milliseconds that never go back. */
  now(): number;
}

/** Told of a target that requests have found unhealthy. */
export type OnSuspect = (service: string, target: string) => void;

const isUsable = (peer: Peer, nowMs: number): boolean => !peer.isProbedOut && peer.passiveOutUntilMs <= nowMs;

/** So much weight has to be usable, in percent (kong-facts 4.1, `healthchecks.threshold`). */
function isBelowThreshold(usable: readonly Peer[], peers: readonly Peer[], threshold: number): boolean {
  if (threshold === 0) return false;
  const sum = (some: readonly Peer[]): number => some.reduce((total, peer) => total + weightOf(peer), 0);
  return sum(usable) * 100 < threshold * sum(peers);
}

/** Out for a while, then on trial: one more failure is enough, a success forgets it. */
function shutOut(peer: Peer, passive: HealthThresholds, nowMs: number): void {
  peer.passiveOutUntilMs = nowMs + passiveOutMs;
  peer.usableSinceMs = peer.passiveOutUntilMs;
  peer.counts.httpFailures = Math.max(0, passive.httpFailures - 1);
  peer.counts.tcpFailures = Math.max(0, passive.tcpFailures - 1);
  peer.counts.timeouts = Math.max(0, passive.timeouts - 1);
}

/** Changes what is known of a peer; one that may be used again since counts as one that has just come. */
function change(peer: Peer, to: Partial<Pick<Peer, 'isProbedOut' | 'passiveOutUntilMs'>>, nowMs: number): void {
  const wasUsable = isUsable(peer, nowMs);
  Object.assign(peer, to);
  if (!wasUsable && isUsable(peer, nowMs)) peer.usableSinceMs = nowMs;
}

/** Gives each peer what it may have by now of its weight. */
function share(peers: readonly Peer[], { slowStartMs }: UpstreamPolicy, nowMs: number): void {
  if (slowStartMs === undefined) return;
  for (const peer of peers) peer.share = slowStartShare(nowMs - peer.usableSinceMs, slowStartMs);
}

/**
 * The targets of a service that has a policy, and which of them the next request gets. What is known of a target
 * outlives every change of the service that leaves the target in it.
 */
export function createBalancedService(times: BalanceTimes, onSuspect: OnSuspect) {
  let service: ServiceEntry | undefined;
  let peers: readonly Peer[] = [];
  let ring: Ring | undefined;
  let out: ReadonlySet<string> = new Set();

  const follow = (next: ServiceEntry): void => {
    const known = new Map(peers.map((peer) => [peerName(peer.target), peer]));
    // What is there at the first look has most likely been there for long.
    const usableSinceMs = service === undefined ? Number.NEGATIVE_INFINITY : times.now();
    peers = next.targets.map((target) => {
      // The same object: requests under way hold on to it.
      const peer = known.get(peerName(target)) ?? { ...newPeer(target), usableSinceMs };
      const isProbedOut = out.has(peerName(target));
      return Object.assign(peer, { target, isProbedOut, share: 1 });
    });
    ring = undefined;
    service = next;
  };

  const chooseAmong = (usable: readonly Peer[], policy: UpstreamPolicy, hash: number | undefined): Peer | undefined => {
    if (policy.algorithm !== 'consistent-hashing') return choosers[policy.algorithm](usable, times.now());
    if (hash === undefined) return chooseInTurn(usable, times.now());
    ring ??= createRing(policy.slots, peers);
    return ring.choose(hash, usable);
  };

  const noteObserved = (peer: Peer, observed: Observed, { key, policy }: ServiceEntry): void => {
    const passive = policy?.passive;
    if (passive === undefined) return;
    const found = observe(peer.counts, observed, passive);
    if (found === 'healthy') change(peer, { passiveOutUntilMs: 0 }, times.now());
    if (found !== 'unhealthy') return;
    shutOut(peer, passive, times.now());
    onSuspect(key, peerName(peer.target));
  };

  const choiceOf = (peer: Peer, about: Pick<Choice, 'tried' | 'hash'>, served: ServiceEntry): Choice => {
    const startedAtMs = times.now();
    let isReleased = false;
    peer.connections += 1;
    return {
      ...about,
      target: peer.target,
      observed(observed) {
        noteObserved(peer, observed, served);
        const nowMs = times.now();
        measureLatency(peer, nowMs - startedAtMs, nowMs);
      },
      release() {
        if (!isReleased) peer.connections -= 1;
        isReleased = true;
      },
    };
  };

  return {
    /** The target of an attempt at a request; undefined when there is none that may be used. */
    choose(next: ServiceEntry, policy: UpstreamPolicy, exchange: ProxyExchange, before?: Choice): Choice | undefined {
      if (next !== service) follow(next);
      const nowMs = times.now();
      const usable = peers.filter((peer) => isUsable(peer, nowMs));
      if (usable.length === 0 || isBelowThreshold(usable, peers, policy.threshold)) return undefined;
      share(usable, policy, nowMs);
      const tried = before?.tried ?? [];
      const untried = usable.filter((peer) => !tried.includes(peerName(peer.target)));
      const hash = before === undefined ? hashOf(policy, exchange) : before.hash;
      const peer = chooseAmong(untried.length === 0 ? usable : untried, policy, hash);
      return peer === undefined ? undefined : choiceOf(peer, { tried: [...tried, peerName(peer.target)], hash }, next);
    },

    /** Names of the targets that get nothing now. */
    out(): string[] {
      const nowMs = times.now();
      const passive = peers.filter((peer) => peer.passiveOutUntilMs > nowMs);
      return [...new Set([...out, ...passive.map((peer) => peerName(peer.target))])];
    },

    /** What probes have found: the targets that get nothing, and those that came back. */
    probed(names: ReadonlySet<string>, back: ReadonlySet<string>): void {
      out = names;
      for (const peer of peers) {
        const name = peerName(peer.target);
        const passiveOutUntilMs = back.has(name) ? 0 : peer.passiveOutUntilMs;
        change(peer, { isProbedOut: out.has(name), passiveOutUntilMs }, times.now());
      }
    },
  };
}

function hashOf(policy: UpstreamPolicy, exchange: ProxyExchange): number | undefined {
  if (policy.algorithm !== 'consistent-hashing') return undefined;
  const value = hashValue(policy.hashOn, exchange);
  return value === undefined ? undefined : hashText(value);
}

export type BalancedService = ReturnType<typeof createBalancedService>;
