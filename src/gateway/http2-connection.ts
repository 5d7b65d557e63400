import {
  connect as connectHttp2,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
} from 'node:http2';
import { connect } from 'node:net';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { OutgoingStream, StreamHost } from './http2-outgoing.ts';
import type { UpstreamTls } from '#table/service-entry.ts';
import type { PoolSettings } from './proxy-settings.ts';
import type { ResolvedTarget, UpstreamFault } from './upstream.ts';
import { connectTimeoutCode, connectTls } from './upstream-tls.ts';

/** Where connections go, and what they are verified for. */
export interface Http2Peer {
  readonly target: ResolvedTarget;
  readonly tls: UpstreamTls | undefined;
  /** '' without TLS. */
  readonly serverName: string;
  readonly connectTimeoutMs: number;
}

/** How long an endpoint may be silent before it is asked whether it is there, and how long it may take to say so. */
export interface Patience {
  readonly silentMs: number;
  /** After this long without an answer nothing new is sent to it. */
  readonly doubtMs: number;
  /** After this long its connection is given up. */
  readonly deadMs: number;
  /** After the last word it has this long to close. */
  readonly closeMs: number;
}

/** Whoever keeps connections. */
export interface ConnectionKeeper {
  /** What a connection takes has changed: it is new, a request has ended, or it takes more or nothing from now on. */
  onChange(connection: Http2Connection): void;
  /** A connection never came about. */
  onFault(connection: Http2Connection, fault: UpstreamFault, error: Error): void;
  onClose(connection: Http2Connection): void;
  /** Whether a connection that nothing is under way on is kept for later. */
  keepsIdle(): boolean;
}

/** What an endpoint takes that says nothing of it (RFC 9113 section 6.5.2). */
const mostStreams = 2 ** 32 - 1;

/**
 * What an endpoint may send of an answer before any of it has gone on, and of all answers before any was read (RFC 9113
 * section 6.9.1): with the 64 KiB of the protocol's own all answers of a connection share 64 MB a second over 1 ms.
 */
const streamWindow = 262_144;
const connectionWindow = 16 * streamWindow;

/** Of a head, or of trailers, as of HTTP/1.1; each field counts for so much besides (RFC 9113 section 6.5.2). */
const maxHeaderListSize = 16 * 1024;
const fieldOverhead = 32;

/** A connection over which nothing was sent yet. Rejects with the fault in `code`. */
async function openSocket({ target, tls, serverName, connectTimeoutMs: timeoutMs }: Http2Peer): Promise<Duplex> {
  const { host, port } = target;
  if (tls !== undefined) {
    const peer = { host, port, serverName, timeoutMs, protocol: 'h2' } as const;
    return new Promise((resolve, reject) => {
      connectTls(peer, tls, (error, socket) => {
        if (socket === null) reject(error ?? new Error('no connection'));
        else resolve(socket);
      });
    });
  }
  const socket = connect({ host, port, noDelay: true, autoSelectFamily: true });
  const timer = setTimeout(() => socket.destroy(lateError()), timeoutMs);
  try {
    await once(socket, 'connect');
    return socket;
  } finally {
    clearTimeout(timer);
  }
}

const lateError = (): Error => Object.assign(new Error('connecting took too long'), { code: connectTimeoutCode });

const connectFault = ({ code }: NodeJS.ErrnoException): UpstreamFault =>
  code === connectTimeoutCode ? 'connect-timeout' : 'connect';

const sessionOptions = (socket: Duplex): ClientSessionOptions => {
  const options = {
    createConnection: () => socket,
    // What a client sent twice goes on twice; Node's types do not know that option yet.
    strictSingleValueFields: false,
    // Nobody would read what is pushed: whoever pushes anyway has its connection ended (RFC 9113 section 8.4).
    settings: { enablePush: false, maxHeaderListSize, initialWindowSize: streamWindow },
    maxHeaderListPairs: maxHeaderListSize / fieldOverhead,
  };
  return options;
};

/**
 * One connection to an endpoint, many requests at a time on it.
 *
 *   opening ─▶ has room ◀─▶ full, or doubted ─▶ retired: what is under way ends, nothing new begins ─▶ closed
 *
 * It is open once the endpoint has said how many streams it takes (RFC 9113 section 3.4): more would be refused, and
 * what does not speak HTTP/2 has been sent no request.
 */
export class Http2Connection implements StreamHost {
  heardAtMs = 0;
  readonly #keeper: ConnectionKeeper;
  readonly #settings: PoolSettings;
  readonly #patience: Patience;
  #session: ClientHttp2Session | undefined = undefined;
  #socket: Duplex | undefined = undefined;
  /** Streams that the endpoint takes at once; undefined until it has said so. */
  #capacity: number | undefined = undefined;
  #streams = 0;
  #requests = 0;
  #isRetired = false;
  #isRefusing = false;
  #isDoubted = false;
  /** Whether it was asked if it is there, and has not answered. */
  #isAsked = false;
  #goaway: { readonly code: number; readonly lastStreamId: number } | undefined = undefined;
  /** Why it was broken off. */
  #fault: Error | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(peer: Http2Peer, settings: PoolSettings, patience: Patience, keeper: ConnectionKeeper) {
    this.#settings = settings;
    this.#patience = patience;
    this.#keeper = keeper;
    openSocket(peer)
      .then((socket) => this.#open(socket, peer.connectTimeoutMs))
      .catch((error: unknown) => this.#miss(error as Error));
  }

  #open(socket: Duplex, timeoutMs: number): void {
    const session = connectHttp2('http://upstream', sessionOptions(socket));
    session.once('connect', () => session.setLocalWindowSize(connectionWindow));
    this.#socket = socket;
    this.#session = session;
    this.#timer = setTimeout(() => this.#breakOff(lateError()), timeoutMs);
    session.on('remoteSettings', ({ maxConcurrentStreams }) =>
      this.#receiveCapacity(maxConcurrentStreams ?? mostStreams),
    );
    session.on('goaway', (code, lastStreamId) => {
      this.#goaway = { code, lastStreamId };
      this.retire();
      this.#keeper.onChange(this);
    });
    // Each of its streams tells its own listener.
    session.on('error', (error: Error) => this.#breakOff(error));
    session.on('close', () => {
      clearTimeout(this.#timer);
      if (this.#capacity === undefined)
        this.#miss(this.#fault ?? new Error('the upstream closed the connection before it said anything'));
      else this.#leave();
    });
  }

  #receiveCapacity(streams: number): void {
    const isFirst = this.#capacity === undefined;
    this.#capacity = streams;
    if (isFirst) {
      this.heardAtMs = performance.now();
      clearTimeout(this.#timer);
      this.#rest();
    }
    this.#keeper.onChange(this);
  }

  /** It never came about: nothing was sent. */
  #miss(error: Error): void {
    this.#isRetired = true;
    this.#keeper.onFault(this, connectFault(error), error);
  }

  #leave(): void {
    this.#isRetired = true;
    this.#keeper.onClose(this);
  }

  get isOpening(): boolean {
    return this.#capacity === undefined && !this.#isRetired;
  }

  /** Whether it counts among those that serve. */
  get isServing(): boolean {
    return !this.#isRetired && !this.#isDoubted && !this.isBroken;
  }

  get isBroken(): boolean {
    // A session that breaks tells its streams before it tells that it has closed.
    return this.#session !== undefined && (this.#session.destroyed || this.#socket?.destroyed === true);
  }

  get isIdle(): boolean {
    return this.#streams === 0 && !this.isOpening;
  }

  /** Streams that the endpoint takes at once, as far as it has said. */
  get capacity(): number | undefined {
    return this.#capacity;
  }

  /** Whether the last that the endpoint said is that it takes nothing at the moment. */
  get isRefusing(): boolean {
    return this.#isRefusing || this.#capacity === 0;
  }

  get hasRoom(): boolean {
    return this.isServing && this.#session?.closed === false && this.#streams < (this.#capacity ?? 0);
  }

  /** Sends a request, where there is room. */
  start(exchange: OutgoingStream): void {
    if (this.#session === undefined) return;
    clearTimeout(this.#timer);
    this.#streams += 1;
    this.#requests += 1;
    if (this.#requests >= this.#settings.maxRequests) this.#isRetired = true;
    if (performance.now() - this.heardAtMs >= this.#patience.silentMs) this.#ask();
    try {
      const stream = exchange.start(this.#session, this);
      stream.once('close', () => {
        if (this.hasRefused(stream)) this.#isRefusing = true;
        this.#end();
      });
    } catch (error) {
      this.#end();
      exchange.fail('invalid', error as Error);
    }
  }

  #end(): void {
    this.#streams -= 1;
    if (this.#streams === 0) this.#rest();
    this.#keeper.onChange(this);
  }

  /** Nothing is under way: waits for more, or closes. */
  #rest(): void {
    if (this.#isRetired || !this.#keeper.keepsIdle()) return this.#close();
    // Not Node's timeout of a session: pings of the endpoint would keep it.
    this.#timer = setTimeout(() => this.#close(), this.#settings.idleTimeoutMs);
  }

  /** Begins nothing new, and closes once what is under way has ended. */
  retire(): void {
    this.#isRetired = true;
    if (this.isIdle) this.#close();
  }

  #close(): void {
    this.#isRetired = true;
    clearTimeout(this.#timer);
    this.#session?.close();
    this.#timer = setTimeout(() => this.#socket?.destroy(), this.#patience.closeMs).unref();
  }

  #breakOff(error: Error): void {
    this.#fault ??= error;
    this.#session?.destroy(error);
    // The session would wait until all it has to say has left.
    this.#socket?.destroy();
  }

  hasRefused({ id = Infinity, rstCode }: ClientHttp2Stream): boolean {
    const { code, lastStreamId } = this.#goaway ?? { code: constants.NGHTTP2_NO_ERROR, lastStreamId: Infinity };
    if (id > lastStreamId) return true;
    // Streams of a session that is broken off have the code that it is broken off with.
    return rstCode === constants.NGHTTP2_REFUSED_STREAM && code === constants.NGHTTP2_NO_ERROR;
  }

  heard(what: 'head' | 'part'): void {
    this.heardAtMs = performance.now();
    if (what === 'head') this.#isRefusing = false;
  }

  /** Nothing new is sent to an endpoint that kept silent to all, until it answers a ping. */
  suspect(heardBeforeMs: number): void {
    const isSilent = performance.now() - this.heardAtMs >= this.#patience.silentMs;
    if ((this.heardAtMs !== heardBeforeMs && !isSilent) || this.isBroken) return;
    this.#ask();
    this.#doubt();
  }

  #doubt(): void {
    this.#isDoubted = true;
    this.#keeper.onChange(this);
  }

  /**
   * PING (RFC 9113 section 6.7). Only where a request goes out or has waited in vain: servers of gRPC end connections
   * that are pinged every few seconds while they have nothing to say (gRFC A8).
   */
  #ask(): void {
    if (this.#isAsked || this.#session === undefined || this.isBroken) return;
    this.#isAsked = true;
    const doubt = setTimeout(() => this.#doubt(), this.#patience.doubtMs);
    const end = setTimeout(() => this.#breakOff(new Error('the upstream answers no ping')), this.#patience.deadMs);
    this.#session.ping((error) => {
      clearTimeout(doubt);
      clearTimeout(end);
      if (error !== null) return;
      this.#isAsked = false;
      this.#isDoubted = false;
      this.heardAtMs = performance.now();
      this.#keeper.onChange(this);
    });
  }
}
