/**
 * The clock of connections of HTTP/2. Node's server of HTTP/1.1 keeps its own: a request has its time, an idle
 * connection too. For HTTP/2 it has none: nothing else here bounds a stream whose body never comes, one whose answer
 * nobody reads, or a connection that carries pings alone.
 *
 *   every second: session without a stream ─▶ GOAWAY, then cut · request not whole ─▶ 408 · answer not taken, body
 *   that goes on behind it ─▶ reset
 */
import type { ServerHttp2Session } from 'node:http2';
import type { LiveLimits } from '#table/limits-entry.ts';
import type { Http2Request, Http2Response } from './http2-exchange.ts';
import type { LimitsInForce } from './limits.ts';

/** Called for a request that has not come whole in its time. */
export type LateRequest = (request: Http2Request, response: Http2Response) => void;

/** How often it looks; Node's for HTTP/1.1 is the same (`connectionsCheckingInterval`). */
const checkEveryMs = 1_000;

/** After GOAWAY a client has this long to close; one that reads nothing never learns of it. */
const closeMs = 5_000;

/** One stream. */
class OpenStream {
  readonly #request: Http2Request;
  readonly #response: Http2Response;
  #isTold = false;

  constructor(request: Http2Request, response: Http2Response) {
    this.#request = request;
    this.#response = response;
  }

  check(nowMs: number, requestTimeoutMs: number, onLate: LateRequest): void {
    if (this.#response.isLingering(nowMs)) return this.#response.stopBody();
    if (requestTimeoutMs === 0) return;
    if (this.#response.isBlocked(nowMs, requestTimeoutMs)) return this.#response.cancel();
    if (this.#isTold || !this.#request.isOverdue(nowMs, requestTimeoutMs)) return;
    this.#isTold = true;
    onLate(this.#request, this.#response);
  }
}

/** One connection and what is open on it. A class because one is made for every connection. */
class WatchedSession {
  readonly streams = new Set<OpenStream>();
  readonly #session: ServerHttp2Session;
  #idleSinceMs = performance.now();

  constructor(session: ServerHttp2Session) {
    this.#session = session;
  }

  opened(request: Http2Request, response: Http2Response): void {
    const stream = new OpenStream(request, response);
    this.streams.add(stream);
    response.once('close', () => {
      this.streams.delete(stream);
      if (this.streams.size === 0) this.#idleSinceMs = performance.now();
    });
  }

  /** Frames that open no stream, such as PING, do not keep a connection. */
  checkIdle(nowMs: number, { keepAliveTimeoutMs }: LiveLimits): void {
    if (this.streams.size > 0) return;
    const idleMs = nowMs - this.#idleSinceMs;
    if (idleMs >= keepAliveTimeoutMs + closeMs) this.#session.destroy();
    else if (idleMs >= keepAliveTimeoutMs) this.#session.close();
  }
}

/** See the head of this file. */
export function watchHttp2(limits: Pick<LimitsInForce, 'now'>, onLate: LateRequest) {
  const sessions = new Set<WatchedSession>();

  const timer = setInterval(() => {
    const nowMs = performance.now();
    const { requestTimeoutMs } = limits.now;
    for (const session of sessions) {
      session.checkIdle(nowMs, limits.now);
      for (const stream of session.streams) stream.check(nowMs, requestTimeoutMs, onLate);
    }
  }, checkEveryMs).unref();

  return {
    /** Watches a connection until it closes; gives what is to be told of its streams. */
    watch(session: ServerHttp2Session): Pick<WatchedSession, 'opened'> {
      const watched = new WatchedSession(session);
      sessions.add(watched);
      session.once('close', () => sessions.delete(watched));
      return watched;
    },
    stop: (): void => clearInterval(timer),
  };
}
