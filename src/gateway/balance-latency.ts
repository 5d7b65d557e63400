import { weightNow, type Choose, type Peer } from './peer.ts';
import { chooseInTurn } from './balance-round-robin.ts';

/** After this time a measured latency counts for about a third; Kong's decay. */
const decayMs = 10_000;

/**
 * Takes a latency in. A peak counts at once, what is faster only by and by: a peer that became slow is left alone
 * after one slow answer (Twitter Finagle's peak EWMA).
 */
export function measureLatency(peer: Peer, latencyMs: number, nowMs: number): void {
  const kept = peer.measuredAtMs === 0 ? 0 : Math.exp((peer.measuredAtMs - nowMs) / decayMs);
  const average = peer.latencyMs * kept + latencyMs * (1 - kept);
  peer.latencyMs = Math.max(latencyMs, average);
  peer.measuredAtMs = nowMs;
}

/** What another request would cost there: a latency that grows old fades, so that a slow peer is tried again. */
function costOf(peer: Peer, nowMs: number): number {
  const faded = peer.latencyMs * Math.exp((peer.measuredAtMs - nowMs) / decayMs);
  return (faded * (peer.connections + 1)) / weightNow(peer);
}

/** The peer that answers soonest, by what it took lately and what is under way; among equals in turn. */
export const chooseByLatency: Choose = (peers, nowMs) => {
  const costs = peers.map((peer) => costOf(peer, nowMs));
  const least = Math.min(...costs);
  return chooseInTurn(
    peers.filter((_, i) => costs[i] === least),
    nowMs,
  );
};
