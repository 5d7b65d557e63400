/**
 * Clients of HTTP/1.1 that ask nothing for a while. Node's server holds 12 KB for each connection as long as it is open,
 * most of it a parser. One that is silent is taken away from Node's server, and given back with its next byte.
 *
 *   connection ─▶ Node's server ── silent from one list of the idle to the next ─▶ at rest ── a byte ─▶ Node's server
 *
 * Node has no call for that, neither for the list nor for taking away: decision 0023.
 */
import type { Server, Socket } from 'node:net';
import { hangUp } from './hang-up.ts';
import { nextToLeave } from './http1-response.ts';
import { lastWordMs } from './linger.ts';
import { createRestCredit, type RestCredit } from './rest-credit.ts';

export type Take = (socket: Socket) => void;
type Listener = (...given: unknown[]) => void;

/** So often those are listed that are idle. Where memory is needed it has to be given back before more is asked for. */
const listMs = 100;
/** So often so many of them are looked at, and so many taken away at most, which stops the thread for 1 ms. */
const roundMs = 25;
const mostLooks = 512;
const mostTaken = 128;
/**
 * To rest and to wake takes 20 µs: clients that ask and ask cost a fortieth of a core, however many there are. One that
 * rests for 2 s was worth it.
 */
const creditOptions = { most: 4_096, eachRound: 32, lastingRounds: 80 };

/** What Node's server keeps on its connections, which no type has. */
type ServedSocket = Socket & {
  /** Null once nothing is read from the connection as HTTP any more. */
  readonly parser?: object | null;
  readonly _handle?: { _consumed?: boolean } | null;
};

/** A parser, and what it reads. */
interface Parser {
  readonly socket?: ServedSocket | null;
}

/**
 * The parsers of a server that have no part of a message: those of the connections that its `closeIdleConnections`
 * would close. Node has no call for them.
 */
function idleParsers(server: Server): readonly Parser[] {
  const fields = server as unknown as Readonly<Record<symbol, { idle(): readonly Parser[] } | undefined>>;
  const symbol = Object.getOwnPropertySymbols(server).find((one) => one.description === 'http.server.connections');
  return symbol === undefined ? [] : (fields[symbol]?.idle() ?? []);
}

/** Those that are idle, by turns; listed anew when all of a list have had theirs. */
function idleByTurns(server: Server) {
  let listed: readonly Parser[] = [];
  let at = 0;
  let listedAtMs = 0;
  return {
    /** Gives undefined where it is not time for another list. */
    next(): Parser | undefined {
      if (at >= listed.length) {
        const nowMs = performance.now();
        if (nowMs - listedAtMs < listMs) return undefined;
        listedAtMs = nowMs;
        listed = idleParsers(server);
        at = 0;
      }
      at += 1;
      return listed[at - 1];
    },
    forget(): void {
      listed = [];
      at = 0;
    },
  };
}

/** The events that Node's server listens to on each connection. */
const events = ['timeout', 'data', 'error', 'end', 'close', 'drain', 'resume', 'pause'] as const;

/** A connection that Node's server has. */
interface Served {
  /** Its listeners, in the order of `events`. */
  readonly listeners: readonly Listener[];
  /** When it was looked at last; undefined before. */
  bytesRead: number | undefined;
}

/** What came from a client that is no longer listened to here is read by who takes it. */
export function handOver(socket: Socket, bytes: Buffer, take: Take): void {
  socket.pause();
  socket.unshift(bytes);
  take(socket);
}

/** Nothing is to be answered, and nothing is on its way out. */
function isAnswered(socket: ServedSocket): boolean {
  if (nextToLeave(socket) !== undefined) return false;
  return socket.readable && socket.readableFlowing === true && socket.writable && socket.writableLength === 0;
}

/**
 * Ends what Node's server does with a connection. What it does when a connection closes is to let its parser go, so it
 * is told that; another listener to `data` makes the parser give the connection up before.
 */
function takeAway(socket: ServedSocket, listeners: readonly Listener[], onData: (chunk: Buffer) => void): void {
  socket.on('data', onData);
  listeners[events.indexOf('close')]?.call(socket);
  for (const [i, event] of events.entries()) socket.off(event, listeners[i] as Listener);
  // Else its next parser would be given what comes in pieces of 64 KB, by way of a stream.
  if (socket._handle) socket._handle._consumed = false;
}

/**
 * Some clients send one behind a request's body (RFC 9112 section 2.2). It begins no request, which would be late if the
 * rest of it did not come soon.
 */
const isEmptyLine = (bytes: Buffer): boolean => bytes.byteLength === 2 && bytes[0] === 0x0d && bytes[1] === 0x0a;

/** Connections of HTTP/1.1 of one server. */
export interface RestingClients {
  /** Gives a connection to Node's server. */
  serve(socket: Socket): void;
  /** Closes those at rest; a request that is on its way already is served. */
  close(): void;
}

/**
 * @param server the one whose connections rest
 * @param toServer does with a connection what Node's server does
 * @param credit how many may rest
 */
export function createRestingClients(
  server: Server,
  toServer: Take,
  credit: RestCredit = createRestCredit(creditOptions),
): RestingClients {
  const served = new Map<Socket, Served>();
  /** With the round in which each was laid to rest. */
  const resting = new Map<Socket, number>();
  const idle = idleByTurns(server);
  let timer: NodeJS.Timeout | undefined;
  let isClosing = false;

  function forget(this: Socket): void {
    served.delete(this);
    resting.delete(this);
  }

  function wake(this: Socket, chunk: Buffer): void {
    if (isEmptyLine(chunk)) return;
    credit.woke(resting.get(this) ?? 0);
    resting.delete(this);
    this.off('data', wake).off('error', hangUp).off('end', hangUp).off('timeout', hangUp).off('close', forget);
    handOver(this.setTimeout(0), chunk, serve);
  }

  function layToRest(socket: Socket, { listeners }: Served, inRound: number): void {
    served.delete(socket);
    resting.set(socket, inRound);
    takeAway(socket, listeners, wake);
    // The time that an idle connection has goes on.
    socket.on('error', hangUp).on('end', hangUp).on('timeout', hangUp);
  }

  /**
   * Gives whether a connection was taken away. The list is of a moment ago: of one that nothing came from since it was
   * looked at before, no part of a message can be in the parser.
   */
  function look(socket: ServedSocket): boolean {
    const known = served.get(socket);
    if (known === undefined) return false;
    const { bytesRead } = socket;
    const isSilent = bytesRead === known.bytesRead;
    known.bytesRead = bytesRead;
    if (!isSilent || !isAnswered(socket)) return false;
    const inRound = credit.take();
    if (inRound === undefined) return false;
    layToRest(socket, known, inRound);
    return true;
  }

  function round(): void {
    if (served.size === 0) return stop();
    credit.nextRound();
    let taken = 0;
    for (let looks = 0; looks < mostLooks && taken < mostTaken; looks += 1) {
      const parser = idle.next();
      if (parser === undefined) return;
      const socket = parser.socket ?? undefined;
      if (socket !== undefined && look(socket)) taken += 1;
    }
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    idle.forget();
  }

  function serve(socket: Socket): void {
    socket.on('close', forget);
    toServer(socket);
    const listeners = events.map((event) => socket.listeners(event).at(-1) as Listener);
    served.set(socket, { listeners, bytesRead: undefined });
    if (!isClosing) timer ??= setInterval(round, roundMs).unref();
    socket.resume();
  }

  return {
    serve,
    close(): void {
      isClosing = true;
      stop();
      for (const socket of resting.keys()) socket.setTimeout(lastWordMs);
    },
  };
}
