import type { Socket } from 'node:net';
import type { Occupancy } from './occupancy.ts';
import type { Tunnel } from './tunnel.ts';
import { createWakeUp } from './wake-up.ts';

/** The tunnels of a listener, and the upgrades that may yet become some. */
export interface OpenTunnels {
  /** A client asks for one. */
  reserve(client: Socket): void;
  /** It has got one. */
  open(tunnel: Tunnel): void;
  /** Each is closed where no message is cut, as is each that opens from now on. */
  leave(): void;
  /** Resolves when none is left. */
  gone(): Promise<void>;
  /** Closes what is left at once. */
  cut(): void;
}

/** See `OpenTunnels`. */
export function createOpenTunnels(occupancy: Occupancy): OpenTunnels {
  const clients = new Set<Socket>();
  const tunnels = new Set<Tunnel>();
  const { wake, until } = createWakeUp();
  let isLeaving = false;
  return {
    reserve(client) {
      occupancy.hold('tunnels', client, clients);
      client.once('close', wake);
    },
    open(tunnel) {
      tunnels.add(tunnel);
      tunnel.onceClosed(() => {
        tunnels.delete(tunnel);
        wake();
      });
      if (isLeaving) tunnel.leave();
    },
    leave() {
      isLeaving = true;
      for (const tunnel of tunnels) tunnel.leave();
    },
    gone: async () => until(() => clients.size === 0 && tunnels.size === 0),
    cut() {
      for (const tunnel of tunnels) tunnel.cut();
      for (const client of clients) client.destroy();
    },
  };
}
