import type { Readable } from 'node:stream';
import { Pool, type buildConnector, type Dispatcher } from 'undici';
import type { UpstreamTls } from '#table/service-entry.ts';
import type { PoolSettings } from './proxy-settings.ts';
import { timedBody } from './timed-body.ts';
import {
  mostInterims,
  originOf,
  originsOf,
  type ResolvedTarget,
  type ResponseListener,
  type UpstreamClient,
  type UpstreamExchange,
  type UpstreamFault,
  type UpstreamRequest,
} from './upstream.ts';
import { connectTimeoutCode, connectTls } from './upstream-tls.ts';

/** What undici's and Node's error codes mean for the exchange. */
const faults: Readonly<Record<string, UpstreamFault>> = {
  [connectTimeoutCode]: 'connect-timeout',
  ECONNREFUSED: 'connect',
  EHOSTUNREACH: 'connect',
  ENETUNREACH: 'connect',
  ENOTFOUND: 'connect',
  EAI_AGAIN: 'connect',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_SOCKET: 'closed',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
};

function faultOf(error: Error & { readonly code?: string }, hasConnected: boolean): UpstreamFault {
  return faults[error.code ?? ''] ?? (hasConnected ? 'invalid' : 'connect');
}

/** One exchange over undici. A class because undici wants an object of handlers, and one is made a request. */
class UndiciExchange implements UpstreamExchange, Dispatcher.DispatchHandler {
  readonly #listener: ResponseListener;
  #controller: Dispatcher.DispatchController | undefined = undefined;
  #isOver = false;
  #hasData = false;
  #interims = 0;

  constructor(listener: ResponseListener) {
    this.#listener = listener;
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#controller?.abort(new Error('the client went away'));
  }

  /** The upstream does not take the request in. */
  expire(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const error = new Error('sending took too long');
    this.#controller?.abort(error);
    this.#listener.onFault('timeout', error);
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new Error('the client went away'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _: unknown, statusText = ''): void {
    if (this.#isOver) return;
    if (status < 200) return this.#skipInterim();
    const raw = (controller.rawHeaders ?? []) as readonly (Buffer | string)[];
    const headers = raw.map((item) => (typeof item === 'string' ? item : item.toString('latin1')));
    this.#listener.onHead(status, statusText, headers);
    // What has come with the head is told before this.
    setImmediate(() => {
      if (!this.#hasData && !this.#isOver) this.#listener.onHeadAlone();
    });
  }

  /** Interim responses end here (RFC 9110 section 15.2); each would keep a timeout from ending the wait. */
  #skipInterim(): void {
    this.#interims += 1;
    if (this.#interims <= mostInterims) return;
    const error = new Error('interim responses without end');
    this.#isOver = true;
    this.#controller?.abort(error);
    this.#listener.onFault('invalid', error);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#hasData = true;
    if (!this.#isOver && !this.#listener.onData(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.onEnd();
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.onFault(faultOf(error, this.#controller !== undefined), error);
  }
}

/** Connections over TLS as a service wants them. undici asks for the name in the Host, and reuses none for another. */
function tlsConnector(settings: UpstreamTls, timeoutMs: number): buildConnector.connector {
  return ({ hostname, port, servername }, callback) => {
    const host = hostname.replaceAll(/[[\]]/g, ''); // that of an IPv6 address comes in brackets
    const peer = { host, port: Number(port), serverName: servername ?? '', timeoutMs };
    connectTls(peer, settings, (error, socket) => {
      if (socket === null) callback(error ?? new Error('no connection'), null);
      else callback(null, socket);
    });
  };
}

/** The connections of one origin. */
interface Origin {
  readonly origin: string;
  readonly pool: Pool;
}

const authorityOf = ({ host, port }: ResolvedTarget): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

function newPool(target: ResolvedTarget, { tls, connectTimeoutMs }: UpstreamRequest, settings: PoolSettings): Pool {
  return new Pool(`${tls === undefined ? 'http' : 'https'}://${authorityOf(target)}`, {
    pipelining: 1,
    keepAliveTimeout: settings.idleTimeoutMs,
    maxRequestsPerClient: settings.maxRequests,
    connect:
      tls === undefined ? { timeout: connectTimeoutMs, autoSelectFamily: true } : tlsConnector(tls, connectTimeoutMs),
  });
}

/** Upstream connections over undici: HTTP/1.1, one request at a time on each. */
export function undiciUpstream(settings: PoolSettings): UpstreamClient {
  const pools = new Map<string, Origin>();

  const poolFor = (target: ResolvedTarget, request: UpstreamRequest): Pool => {
    const origin = originOf(target, request.tls);
    const key = `${target.host} ${request.connectTimeoutMs} ${origin}`;
    let found = pools.get(key);
    if (found === undefined) pools.set(key, (found = { origin, pool: newPool(target, request, settings) }));
    return found.pool;
  };

  return {
    send(target: ResolvedTarget, request: UpstreamRequest, listener: ResponseListener): UpstreamExchange {
      const exchange = new UndiciExchange(listener);
      const { body } = request;
      const sent =
        body === null || Buffer.isBuffer(body)
          ? body
          : timedBody(body, request.writeTimeoutMs, () => exchange.expire());
      poolFor(target, request).dispatch(
        {
          method: request.method,
          path: request.path,
          headers: request.headers as string[],
          body: sent as unknown as Readable, // its types do not know of iterables, its code does
          headersTimeout: request.readTimeoutMs,
          bodyTimeout: request.readTimeoutMs,
        },
        exchange,
      );
      return exchange;
    },

    retain(services) {
      const kept = originsOf(services);
      for (const [key, { origin, pool }] of pools) {
        if (kept.has(origin)) continue;
        pools.delete(key);
        // Ends when the requests under way have; a failure to close cleanly leaves nothing to do.
        void pool.close().catch(() => pool.destroy());
      }
    },

    stats() {
      const all = [...pools.values()].map(({ pool }) => pool.stats);
      const active = all.reduce((sum, { connected, free }) => sum + connected - free, 0);
      return { active, idle: all.reduce((sum, { free }) => sum + free, 0) };
    },

    async close() {
      await Promise.all([...pools.values()].map(async ({ pool }) => pool.close()));
    },
  };
}
