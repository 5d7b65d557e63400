import type { Socket } from 'node:net';
import type { Occupancy } from './occupancy.ts';
import type { Tunnel } from './tunnel.ts';
import type { Recheck } from './tunnel-access.ts';
import { createWakeUp } from './wake-up.ts';

/** The tunnels of a listener, and the upgrades that may yet become some. */
export interface OpenTunnels {
  /** A client asks for one. */
  reserve(client: Socket): void;
  /** It has got one. Where a `recheck` is given, it is asked again and again, and the tunnel closed for its reason. */
  open(tunnel: Tunnel, recheck: Recheck | undefined): void;
  /** Each is closed where no message is cut, as is each that opens from now on. */
  leave(): void;
  /** Resolves when none is left. */
  gone(): Promise<void>;
  /** Closes what is left at once. */
  cut(): void;
}

/** So often so many tunnels are looked at again: half a percent of a core's time, however often the table changes. */
const roundMs = 100;
const mostAtOnce = 256;

/** Looks at some of the tunnels at a time, in turn, while there are any. */
function createRounds(tunnels: Map<Tunnel, Recheck | undefined>) {
  // Goes on behind what was looked at last, whatever came and went.
  let rest = tunnels.entries();
  let timer: NodeJS.Timeout | undefined;

  const look = (): void => {
    for (let i = 0; i < mostAtOnce; i += 1) {
      const next = rest.next();
      if (next.done === true) return void (rest = tunnels.entries());
      const [tunnel, recheck] = next.value;
      const reason = recheck?.();
      if (reason === undefined) continue;
      tunnels.set(tunnel, undefined);
      tunnel.close(reason);
    }
  };

  return {
    start(): void {
      timer ??= setInterval(look, roundMs).unref();
    },
    stop(): void {
      clearInterval(timer);
      timer = undefined;
    },
  };
}

/** See `OpenTunnels`. */
export function createOpenTunnels(occupancy: Occupancy): OpenTunnels {
  const clients = new Set<Socket>();
  const tunnels = new Map<Tunnel, Recheck | undefined>();
  const rounds = createRounds(tunnels);
  const { wake, until } = createWakeUp();
  let isLeaving = false;
  return {
    reserve(client) {
      occupancy.hold('tunnels', client, clients);
      client.once('close', wake);
    },
    open(tunnel, recheck) {
      tunnels.set(tunnel, recheck);
      if (recheck !== undefined) rounds.start();
      tunnel.onceClosed(() => {
        tunnels.delete(tunnel);
        if (tunnels.size === 0) rounds.stop();
        wake();
      });
      if (isLeaving) tunnel.leave();
    },
    leave() {
      isLeaving = true;
      for (const tunnel of tunnels.keys()) tunnel.leave();
    },
    gone: async () => until(() => clients.size === 0 && tunnels.size === 0),
    cut() {
      for (const tunnel of tunnels.keys()) tunnel.cut();
      for (const client of clients) client.destroy();
    },
  };
}
