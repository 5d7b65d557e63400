import type { Duplex } from 'node:stream';
import type { LimitsInForce } from './limits.ts';

/** What clients hold of a worker, all ways of coming in together: its limits are those of the worker, not of each. */
export interface Occupancy {
  readonly connections: number;
  readonly tunnels: number;
  /** Whether there is no room for one more. */
  isFull(part: 'connections' | 'tunnels'): boolean;
  /** Gives what counts a socket and keeps it in `held` until it closes. */
  holder<S extends Duplex>(part: 'connections' | 'tunnels', held: Set<S>): (socket: S) => void;
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
    holder<S extends Duplex>(part: 'connections' | 'tunnels', held: Set<S>) {
      // One function for all of them: there may be many.
      function letGo(this: S): void {
        counts[part] -= 1;
        held.delete(this);
      }
      return (socket: S) => {
        counts[part] += 1;
        held.add(socket);
        socket.on('close', letGo);
      };
    },
  };
}
