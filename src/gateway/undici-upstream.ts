import type { Readable } from 'node:stream';
import { Pool, type Dispatcher } from 'undici';
import type { Target } from '#table/service-entry.ts';
import type { ResponseListener, UpstreamClient, UpstreamExchange, UpstreamFault, UpstreamRequest } from './upstream.ts';

/** Connections are closed after this long without use; Kong's default (kong-facts 2.9). */
const keepAliveTimeoutMs = 60_000;

/** What undici's and Node's error codes mean for the exchange. */
const faults: Readonly<Record<string, UpstreamFault>> = {
  UND_ERR_CONNECT_TIMEOUT: 'connect',
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

  constructor(listener: ResponseListener) {
    this.#listener = listener;
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#controller?.abort(new Error('the client went away'));
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new Error('the client went away'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _: unknown, statusText = ''): void {
    if (status < 200 || this.#isOver) return; // interim responses end here (RFC 9110 section 15.2)
    const raw = (controller.rawHeaders ?? []) as readonly (Buffer | string)[];
    const headers = raw.map((item) => (typeof item === 'string' ? item : item.toString('latin1')));
    this.#listener.onHead(status, statusText, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
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

/** Upstream connections over undici: HTTP/1.1, one request at a time on each. */
export function undiciUpstream(): UpstreamClient {
  const pools = new Map<string, Pool>();

  const keyOf = (target: Target): string =>
    (target.host.includes(':') ? `[${target.host}]` : target.host) + `:${target.port}`;

  const poolFor = (target: Target, connectTimeoutMs: number): Pool => {
    const key = `${keyOf(target)} ${connectTimeoutMs}`;
    const found = pools.get(key);
    if (found !== undefined) return found;
    const pool = new Pool(`http://${keyOf(target)}`, {
      pipelining: 1,
      keepAliveTimeout: keepAliveTimeoutMs,
      connect: { timeout: connectTimeoutMs, autoSelectFamily: true },
    });
    pools.set(key, pool);
    return pool;
  };

  return {
    send(target: Target, request: UpstreamRequest, listener: ResponseListener): UpstreamExchange {
      const exchange = new UndiciExchange(listener);
      poolFor(target, request.connectTimeoutMs).dispatch(
        {
          method: request.method,
          path: request.path,
          headers: request.headers as string[],
          body: request.body as unknown as Readable, // its types do not know of iterables, its code does
          headersTimeout: request.readTimeoutMs,
          bodyTimeout: request.readTimeoutMs,
        },
        exchange,
      );
      return exchange;
    },

    retain(targets) {
      const kept = new Set(targets.map(keyOf));
      for (const [key, pool] of pools) {
        if (kept.has(key.slice(0, key.indexOf(' ')))) continue;
        pools.delete(key);
        // Ends when the requests under way have; a failure to close cleanly leaves nothing to do.
        void pool.close().catch(() => pool.destroy());
      }
    },

    async close() {
      await Promise.all([...pools.values()].map(async (pool) => pool.close()));
    },
  };
}
