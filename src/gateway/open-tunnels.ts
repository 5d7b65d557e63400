import type { Socket } from 'node:net';
import type { Occupancy } from './occupancy.ts';
import type { Tunnel } from './tunnel.ts';
import type { Recheck } from './tunnel-access.ts';
import { createWakeUp } from './wake-up.ts';

/** The tunnels of a listener, and the upgrades that may yet become some. */
export interface OpenTunnels {
  /** A client asks for one. */
  reserve(client: Socket): void;
  /** It has got one. Where a `recheck` is given, it is asked after each change, and the tunnel closed for its reason. */
  open(tunnel: Tunnel, recheck: Recheck | undefined): void;
  tableChanged(): void;
  /** Each is closed where no message is cut, as is each that opens from now on. */
  leave(): void;
  /** Resolves when none is left. */
  gone(): Promise<void>;
  /** Closes what is left at once. */
  cut(): void;
}

/**
 * So long tunnels are looked at in one go, which is how long requests wait for it, and so long is waited before: at
 * most a fifth of a core's time, however many there are and however often the table changes. 9,000 took 20 to 75 ms.
 */
const goMs = 2;
const pauseMs = 8;
/** Where some were closed, which each is but once, more are likely to be: they are not kept waiting. */
const closingPauseMs = 1;

/** No change tells that a key has come to its end: so often so many are looked at in any case. */
const roundMs = 100;
const mostOfRound = 256;

/** Looks at tunnels again, in turn, while there are any: at all of them for each change of the table. */
function createRechecks(tunnels: Map<Tunnel, Recheck | undefined>) {
  // A ring: goes on behind what was looked at last, so that everybody's turn comes while changes follow one another.
  let rest = tunnels.entries();
  /** How many are to be looked at yet. */
  let due = 0;
  let next: NodeJS.Timeout | undefined;
  let rounds: NodeJS.Timeout | undefined;

  /** @returns whether it was closed */
  const lookAtNext = (): boolean => {
    const found = rest.next();
    if (found.done === true) {
      rest = tunnels.entries();
      return false;
    }
    due -= 1;
    const [tunnel, recheck] = found.value;
    const reason = recheck?.();
    if (reason === undefined) return false;
    tunnels.set(tunnel, undefined);
    tunnel.close(reason);
    return true;
  };

  const go = (): void => {
    next = undefined;
    const endMs = performance.now() + goMs;
    let hasClosed = false;
    while (due > 0 && tunnels.size > 0 && performance.now() < endMs) hasClosed = lookAtNext() || hasClosed;
    if (due > 0 && tunnels.size > 0) next = setTimeout(go, hasClosed ? closingPauseMs : pauseMs).unref();
  };

  const ask = (count: number): void => {
    due = Math.max(due, count);
    next ??= setTimeout(go, pauseMs).unref();
  };

  return {
    /** One that has come just now may stand before others whose turn has not come yet. */
    start(): void {
      if (due > 0) due += 1;
      rounds ??= setInterval(() => ask(Math.min(tunnels.size, mostOfRound)), roundMs).unref();
    },
    /** Whoever is there has his turn. */
    tableChanged(): void {
      if (rounds !== undefined) ask(tunnels.size);
    },
    stop(): void {
      clearInterval(rounds);
      clearTimeout(next);
      [rounds, next, due] = [undefined, undefined, 0];
    },
  };
}

/** See `OpenTunnels`. */
export function createOpenTunnels(occupancy: Occupancy): OpenTunnels {
  const clients = new Set<Socket>();
  const hold = occupancy.holder('tunnels', clients);
  const tunnels = new Map<Tunnel, Recheck | undefined>();
  const rechecks = createRechecks(tunnels);
  const { wake, until } = createWakeUp();
  let isLeaving = false;
  return {
    reserve(client) {
      hold(client);
      client.once('close', wake);
    },
    open(tunnel, recheck) {
      tunnels.set(tunnel, recheck);
      if (recheck !== undefined) rechecks.start();
      tunnel.onceClosed(() => {
        tunnels.delete(tunnel);
        if (tunnels.size === 0) rechecks.stop();
        wake();
      });
      if (isLeaving) tunnel.leave();
    },
    tableChanged: () => rechecks.tableChanged(),
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
