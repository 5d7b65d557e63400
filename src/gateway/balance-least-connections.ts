import { weightNow, type Choose } from './peer.ts';
import { chooseInTurn } from './balance-round-robin.ts';

/** The peer with the fewest requests under way for its weight; among equals in turn, as Kong does. */
export const chooseLeastConnections: Choose = (peers, nowMs) => {
  const loads = peers.map((peer) => (peer.connections + 1) / weightNow(peer));
  const least = Math.min(...loads);
  return chooseInTurn(
    peers.filter((_, i) => loads[i] === least),
    nowMs,
  );
};
