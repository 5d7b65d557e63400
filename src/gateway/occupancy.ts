import type { Duplex } from 'node:stream';
import type { LimitsInForce } from './limits.ts';

/** What clients hold of a worker, all ways of coming in together: its limits are those of the worker, not of each. */
export interface Occupancy {
  readonly connections: number;
  readonly tunnels: number;
  /** Whether there is no room for one more. */
  isFull(part: 'connections' | 'tunnels'): boolean;
  /** Counts a socket and keeps it in `held` until it closes. */
  hold<S extends Duplex>(part: 'connections' | 'tunnels', socket: S, held: Set<S>): void;
}

/** See `Occupancy`. */
export function createOccupancy(limits: LimitsInForce): Occupancy {
  const counts = { connections: 0, tunnels: 0 };
  return {
    get connections() {
      return counts.connections;
    },
    get tunnels() {
      return counts.tunnels;
    },
    isFull: (part) => counts[part] >= limits.now[part],
    hold(part, socket, held) {
      counts[part] += 1;
      held.add(socket);
      socket.once('close', () => {
        counts[part] -= 1;
        held.delete(socket);
      });
    },
  };
}
