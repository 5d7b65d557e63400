import type { Target } from '#table/service-entry.ts';
import { noCounts, type HealthCounts } from './health.ts';

/** A target as the balancer of its service knows it. */
export interface Peer {
  /** As the table has it now: its weight may change. */
  target: Target;
  /** Requests under way. */
  connections: number;
  /** Peak-sensitive moving average of the time to an answer, and when it was last changed; 0 for none yet. */
  latencyMs: number;
  measuredAtMs: number;
  /** Turn of the smooth weighted round-robin. */
  current: number;
  /** What requests came to, for passive checks. */
  readonly counts: HealthCounts;
  /** Out until then because of what requests came to; Infinity until a probe succeeds. */
  passiveOutUntilMs: number;
  /** Out because probes failed. */
  isProbedOut: boolean;
  /** When it came, or may be used again; long ago for what was there from the start. */
  usableSinceMs: number;
  /** How much of its weight it has now; see `slowStartShare`. */
  share: number;
}

/** A target of which nothing is known yet. */
export function newPeer(target: Target): Peer {
  return {
    target,
    connections: 0,
    latencyMs: 0,
    measuredAtMs: 0,
    current: 0,
    counts: noCounts(),
    passiveOutUntilMs: 0,
    isProbedOut: false,
    usableSinceMs: Number.NEGATIVE_INFINITY,
    share: 1,
  };
}

/** Share of the requests that a target gets, next to the others. */
export const weightOf = ({ target }: Peer): number => target.weight ?? 1;

/** The same while a target that has just come gets less. */
export const weightNow = (peer: Peer): number => weightOf(peer) * peer.share;

/** By which a target is known: two entries with the same one are the same endpoint. */
export const peerName = ({ host, port }: Target): string => `${host} ${port}`;

/** Chooses among peers that may all be used; there is at least one. */
export type Choose = (peers: readonly Peer[], nowMs: number) => Peer;
