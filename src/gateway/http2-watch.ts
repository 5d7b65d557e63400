/**
 * The clock of connections of HTTP/2. Node's server of HTTP/1.1 keeps its own: a request has its time, an idle
 * connection too. For HTTP/2 it has none: nothing else here bounds a stream whose body never comes, one whose answer
 * nobody reads, a connection that carries pings alone, or heads that Node resets before it tells of them.
 *
 *   every second: session without a stream, or with many heads that came to nothing ─▶ GOAWAY, then cut · SETTINGS
 *   not acknowledged ─▶ cut · request not whole ─▶ 408 · answer not taken, body that goes on behind it ─▶ reset
 */
import type { ServerHttp2Session } from 'node:http2';
import type { LiveLimits } from '#table/limits-entry.ts';
import { enhanceYourCalm, type Http2Request, type Http2Response } from './http2-exchange.ts';
import type { LimitsInForce } from './limits.ts';
import type { RefusalReason } from './refusal-reason.ts';

/** Told of what is refused. */
export interface Http2Refusals {
  /** A request that has not come whole in its time: it is to be answered. */
  onLate(request: Http2Request, response: Http2Response): void;
  refused(reason: RefusalReason): void;
}

/** How often it looks; Node's for HTTP/1.1 is the same (`connectionsCheckingInterval`). */
const checkEveryMs = 1_000;

/** Until a client has acknowledged SETTINGS its heads may be unpacked to megabytes each: it is looked at more often. */
const checkUnsettledEveryMs = 100;

/**
 * Streams that a client may waste: a burst of so many, then so many a second. It resets them itself, or their heads or
 * trailers are more than is read, which costs the sender as little.
 */
export const wastedBurst = 200;
export const wastedPerSecond = 33;

/** Why a connection ends (RFC 9113 section 7). */
const settingsTimeout = 4;
const unacknowledged = (): Error => new Error('the client has not acknowledged SETTINGS');

/** After GOAWAY a client has this long to close; one that reads nothing never learns of it. */
const closeMs = 5_000;

/** One stream. */
class OpenStream {
  readonly response: Http2Response;
  /** Its place in the list. */
  at: number;
  #isTold = false;

  constructor(response: Http2Response, at: number) {
    this.response = response;
    this.at = at;
  }

  check(nowMs: number, requestTimeoutMs: number, refusals: Http2Refusals): void {
    const { response } = this;
    if (response.isLingering(nowMs)) return response.stopBody();
    if (requestTimeoutMs === 0 || this.#isTold) return;
    if (response.isBlocked(nowMs, requestTimeoutMs)) {
      this.#isTold = true;
      refusals.refused('answer-timeout');
      response.cancel();
    } else if (response.request.isOverdue(nowMs, requestTimeoutMs)) {
      this.#isTold = true;
      refusals.onLate(response.request, response);
    }
  }
}

/** The streams of a connection. No Set: its old tables hold on to what was in them (see `OwnedStream`). */
class OpenStreams {
  readonly #streams: OpenStream[] = [];

  get size(): number {
    return this.#streams.length;
  }

  add(response: Http2Response): OpenStream {
    const stream = new OpenStream(response, this.#streams.length);
    this.#streams.push(stream);
    return stream;
  }

  /** The last takes its place. */
  delete(stream: OpenStream): void {
    const last = this.#streams.pop();
    if (last === undefined || last === stream) return;
    last.at = stream.at;
    this.#streams[last.at] = last;
  }

  check(nowMs: number, requestTimeoutMs: number, refusals: Http2Refusals): void {
    // Backwards: one that ends at once leaves its place to one that was looked at.
    for (let i = this.#streams.length - 1; i >= 0; i -= 1) this.#streams[i]?.check(nowMs, requestTimeoutMs, refusals);
  }
}

/** One connection and what is open on it. A class because one is made for every connection. */
class WatchedSession {
  readonly streams = new OpenStreams();
  readonly #session: ServerHttp2Session;
  readonly #refusals: Http2Refusals;
  readonly #sinceMs = performance.now();
  #idleSinceMs = this.#sinceMs;
  #lookedAtMs = this.#sinceMs;
  /** Streams that came to a request. */
  #used = 0;
  #wasted = 0;
  /** Further streams that may be wasted. */
  #allowance = wastedBurst;

  constructor(session: ServerHttp2Session, refusals: Http2Refusals) {
    this.#session = session;
    this.#refusals = refusals;
  }

  /** Whether the limits that its client was told hold. */
  get isSettled(): boolean {
    return !this.#session.pendingSettingsAck;
  }

  opened(response: Http2Response): void {
    const stream = this.streams.add(response);
    this.#used += 1;
    response.once('close', () => {
      this.streams.delete(stream);
      if (this.streams.size === 0) this.#idleSinceMs = performance.now();
      if (response.isRefusedByNode) this.#used -= 1;
    });
  }

  /**
   * Nobody is told of a head that Node resets; that there was one shows in the number of the last stream. A client that
   * leaves numbers out, as it may (RFC 9113 section 5.1.1), has wasted them; what is open goes on to its end.
   */
  checkWaste(nowMs: number): void {
    const last = this.#session.state.lastProcStreamID ?? 0;
    const wasted = Math.ceil(last / 2) - this.#used; // a client's are odd
    const earned = ((nowMs - this.#lookedAtMs) / 1_000) * wastedPerSecond;
    this.#allowance = Math.min(wastedBurst, this.#allowance + earned) - (wasted - this.#wasted);
    this.#wasted = wasted;
    this.#lookedAtMs = nowMs;
    if (this.#allowance >= 0 || this.#session.closed) return;
    this.#refusals.refused('http2-waste');
    this.#session.goaway(enhanceYourCalm);
    this.#session.close();
  }

  check(nowMs: number, { headersTimeoutMs, keepAliveTimeoutMs }: LiveLimits): void {
    // RFC 9113 section 6.5.3.
    if (!this.isSettled && nowMs - this.#sinceMs >= headersTimeoutMs) {
      this.#refusals.refused('http2-settings');
      return this.#session.destroy(unacknowledged(), settingsTimeout);
    }
    this.checkWaste(nowMs);
    this.#checkIdle(nowMs, keepAliveTimeoutMs);
  }

  /** Frames that open no stream, such as PING, do not keep a connection. */
  #checkIdle(nowMs: number, keepAliveTimeoutMs: number): void {
    if (this.streams.size > 0) return;
    const idleMs = nowMs - this.#idleSinceMs;
    if (idleMs >= keepAliveTimeoutMs + closeMs) this.#session.destroy();
    else if (idleMs >= keepAliveTimeoutMs) this.#session.close();
  }
}

/** Looks at connections whose clients have not acknowledged SETTINGS; runs while there are some. */
function watchUnsettled() {
  const sessions = new Set<WatchedSession>();
  let timer: NodeJS.Timeout | undefined;

  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  const check = (): void => {
    const nowMs = performance.now();
    for (const session of sessions) {
      if (session.isSettled) sessions.delete(session);
      else session.checkWaste(nowMs);
    }
    if (sessions.size === 0) stop();
  };

  return {
    add(session: WatchedSession): void {
      sessions.add(session);
      timer ??= setInterval(check, checkUnsettledEveryMs).unref();
    },
    delete: (session: WatchedSession): void => void sessions.delete(session),
    stop,
  };
}

/** See the head of this file. */
export function watchHttp2(limits: Pick<LimitsInForce, 'now'>, refusals: Http2Refusals) {
  const sessions = new Set<WatchedSession>();
  const unsettled = watchUnsettled();

  const timer = setInterval(() => {
    const nowMs = performance.now();
    const { requestTimeoutMs } = limits.now;
    for (const session of sessions) {
      session.check(nowMs, limits.now);
      session.streams.check(nowMs, requestTimeoutMs, refusals);
    }
  }, checkEveryMs).unref();

  return {
    /** Watches a connection until it closes; gives what is to be told of its streams. */
    watch(session: ServerHttp2Session): Pick<WatchedSession, 'opened'> {
      const watched = new WatchedSession(session, refusals);
      sessions.add(watched);
      unsettled.add(watched);
      session.once('close', () => {
        sessions.delete(watched);
        unsettled.delete(watched);
      });
      return watched;
    },
    stop(): void {
      clearInterval(timer);
      unsettled.stop();
    },
  };
}
