import { Http2Connection, type ConnectionKeeper, type Http2Peer, type Patience } from './http2-connection.ts';
import { OutgoingStream } from './http2-outgoing.ts';
import type { PoolSettings } from './proxy-settings.ts';
import {
  originOf,
  originsOf,
  type ResolvedTarget,
  type UpstreamClient,
  type UpstreamFault,
  type UpstreamRequest,
} from './upstream.ts';
import { serverNameOf } from './upstream-tls.ts';

/** Until an endpoint says how many streams it takes, so many; what RFC 9113 section 6.5.2 advises at least. */
const streamsUntilTold = 100;

/** Connections on which an endpoint may say that it takes nothing now before it is believed. */
const mostRefusals = 2;

/** A garbage collection may take a second, a server that is stopped for long is of no use to those who wait. */
const usualPatience: Patience = { silentMs: 5_000, doubtMs: 1_000, deadMs: 10_000, closeMs: 5_000 };

/** How connections to origins are kept. */
interface Keeping {
  readonly settings: PoolSettings;
  readonly patience: Patience;
  /** Whether another idle connection to a target is kept. */
  keepsIdle(name: string): boolean;
  /** An origin has no connection left. */
  forget(origin: Http2Origin): void;
}

/** The connections to one target that were verified for one name, and the requests that none has room for. */
class Http2Origin implements ConnectionKeeper {
  /** The target; see `originOf`. */
  readonly name: string;
  readonly connections = new Set<Http2Connection>();
  readonly #peer: Http2Peer;
  readonly #keeping: Keeping;
  readonly #waiting = new Set<OutgoingStream>();
  /** Streams that its connections take, by the last that said so. */
  #capacity = streamsUntilTold;
  #isRetired = false;

  constructor(name: string, peer: Http2Peer, keeping: Keeping) {
    this.name = name;
    this.#peer = peer;
    this.#keeping = keeping;
  }

  send(exchange: OutgoingStream): void {
    const connection = this.#pick();
    if (connection !== undefined) return connection.start(exchange);
    exchange.waitIn(this.#waiting);
    this.#openMore();
  }

  /** The first that has room, so that others rest and close; one that has just refused only where others have too. */
  #pick(): Http2Connection | undefined {
    let refusing: Http2Connection | undefined;
    let refusals = 0;
    for (const connection of this.connections) {
      if (!connection.hasRoom) continue;
      if (!connection.isRefusing) return connection;
      refusing ??= connection;
      refusals += 1;
    }
    return refusals >= mostRefusals || this.connections.size >= this.#most ? refusing : undefined;
  }

  get #most(): number {
    return Math.max(1, this.#keeping.settings.size);
  }

  /** Opens as many connections as those who wait need, of what there may be. */
  #openMore(): void {
    let [serving, opening, refusing] = [0, 0, 0];
    for (const connection of this.connections) {
      if (!connection.isServing) continue;
      serving += 1;
      if (connection.isOpening) opening += 1;
      if (connection.isRefusing) refusing += 1;
    }
    if (refusing >= mostRefusals) return;
    const needed = Math.ceil(this.#waiting.size / this.#capacity) - opening;
    const { settings, patience } = this.#keeping;
    for (let more = Math.min(needed, this.#most - serving); more > 0; more -= 1) {
      this.connections.add(new Http2Connection(this.#peer, settings, patience, this));
    }
  }

  onChange({ capacity }: Http2Connection): void {
    if (capacity !== undefined) this.#capacity = Math.max(1, capacity);
    for (const exchange of this.#waiting) {
      const connection = this.#pick();
      if (connection === undefined) break;
      connection.start(exchange);
    }
    if (this.#waiting.size > 0) this.#openMore();
  }

  /** Those that it was opened for are told: they may try another target. */
  onFault(connection: Http2Connection, fault: UpstreamFault, error: Error): void {
    const told = [...this.#waiting].slice(0, this.#capacity);
    for (const exchange of told) exchange.fail(fault, error);
    this.onClose(connection);
  }

  onClose(connection: Http2Connection): void {
    this.connections.delete(connection);
    if (this.#waiting.size > 0) this.#openMore();
    else if (this.connections.size === 0) this.#keeping.forget(this);
  }

  get idleConnections(): number {
    let idle = 0;
    for (const connection of this.connections) if (connection.isIdle) idle += 1;
    return idle;
  }

  keepsIdle(): boolean {
    return this.#waiting.size > 0 || (!this.#isRetired && this.#keeping.keepsIdle(this.name));
  }

  /** Closes its connections once what is under way, or waits, is done. */
  retire(): void {
    this.#isRetired = true;
    for (const connection of this.connections) if (connection.isIdle) connection.retire();
  }
}

/** Requests over HTTP/2, with and without TLS: many at once on few connections (RFC 9113). */
export function http2Upstream(settings: PoolSettings, patience: Patience = usualPatience): UpstreamClient {
  const origins = new Map<string, Http2Origin>();

  const keeping: Keeping = {
    settings,
    patience,
    keepsIdle(name) {
      const ofTarget = [...origins.values()].filter((origin) => origin.name === name);
      return ofTarget.reduce((sum, { idleConnections }) => sum + idleConnections, 0) <= settings.size;
    },
    forget(origin) {
      for (const [key, known] of origins) if (known === origin) origins.delete(key);
    },
  };

  const originFor = (target: ResolvedTarget, { tls, headers, connectTimeoutMs }: UpstreamRequest): Http2Origin => {
    const name = originOf(target, tls);
    // What was verified for one name proves nothing about another. Host stands first.
    const serverName = tls === undefined ? '' : serverNameOf(headers[1] ?? '');
    const key = `${target.host} ${connectTimeoutMs} ${serverName} ${name}`;
    const known = origins.get(key);
    if (known !== undefined) return known;
    const origin = new Http2Origin(name, { target, tls, serverName, connectTimeoutMs }, keeping);
    origins.set(key, origin);
    return origin;
  };

  const retireAll = (isKept: (origin: Http2Origin) => boolean): void => {
    for (const [key, origin] of origins) {
      if (isKept(origin)) continue;
      origins.delete(key);
      origin.retire();
    }
  };

  return {
    send(target: ResolvedTarget, request, listener) {
      const exchange = new OutgoingStream(request, listener);
      originFor(target, request).send(exchange);
      return exchange;
    },

    retain(services) {
      const kept = originsOf(services);
      retireAll(({ name }) => kept.has(name));
    },

    stats() {
      let [all, idle] = [0, 0];
      for (const { connections, idleConnections } of origins.values()) {
        all += connections.size;
        idle += idleConnections;
      }
      return { active: all - idle, idle };
    },

    async close() {
      retireAll(() => false);
    },
  };
}
