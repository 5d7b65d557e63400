import type { Target } from '#table/service-entry.ts';
import { http1Upstream } from './http1-upstream.ts';
import type { PoolSettings } from './proxy-settings.ts';
import type { NameResolver } from './resolve.ts';
import type {
  ResolvedTarget,
  ResponseListener,
  UpstreamClient,
  UpstreamExchange,
  UpstreamRequest,
} from './upstream.ts';

/** An exchange that cannot start yet. */
function pendingExchange(
  start: Promise<UpstreamExchange | undefined>,
): UpstreamExchange & { readonly isAborted: boolean } {
  let isAborted = false;
  return {
    get isAborted() {
      return isAborted;
    },
    abort() {
      isAborted = true;
      void start.then((exchange) => exchange?.abort());
    },
    resume() {
      void start.then((exchange) => exchange?.resume());
    },
  };
}

/** Starts an exchange as soon as what it waits for is there, unless it was given up before. */
function startLater(
  starting: (isAborted: () => boolean) => Promise<UpstreamExchange | undefined>,
  listener: ResponseListener,
): UpstreamExchange {
  const start = starting(() => pending.isAborted);
  start.catch((error: unknown) => listener.onFault('invalid', error as Error));
  const pending = pendingExchange(start.catch(() => undefined));
  return pending;
}

/** A target with the address that its name leads to. */
const resolved = ({ host, port }: Target, address: string): ResolvedTarget => ({ host: address, port, name: host });

/** HTTP/1.1, and HTTP/2 for services that say so, which is loaded when the first such request comes. */
export function upstreamClient(names: NameResolver, settings: PoolSettings): UpstreamClient {
  const http1 = http1Upstream(settings);
  let http2: Promise<UpstreamClient> | undefined;
  /** Those that have been loaded. */
  const loaded: UpstreamClient[] = [http1];

  const loadHttp2 = async (): Promise<UpstreamClient> => {
    const { http2Upstream } = await import('./http2-upstream.ts');
    const client = http2Upstream(settings);
    loaded.push(client);
    return client;
  };

  const sendHttp2 = (
    target: ResolvedTarget,
    request: UpstreamRequest,
    listener: ResponseListener,
  ): UpstreamExchange => {
    http2 ??= loadHttp2();
    const client = http2;
    return startLater(async (isAborted) => {
      const { send } = await client;
      return isAborted() ? undefined : send(target, request, listener);
    }, listener);
  };

  const sendTo = (target: ResolvedTarget, request: UpstreamRequest, listener: ResponseListener): UpstreamExchange =>
    request.isHttp2 === true ? sendHttp2(target, request, listener) : http1.send(target, request, listener);

  const sendByName = (target: Target, request: UpstreamRequest, listener: ResponseListener): UpstreamExchange => {
    const start = (address: string | undefined): UpstreamExchange | undefined => {
      if (address !== undefined) return sendTo(resolved(target, address), request, listener);
      listener.onFault('name', new Error(`${target.host} leads nowhere`));
      return undefined;
    };
    const address = names.next(target.host);
    if (typeof address === 'string') return sendTo(resolved(target, address), request, listener);
    return startLater(async (isAborted) => {
      const found = await address;
      return isAborted() ? undefined : start(found);
    }, listener);
  };

  return {
    send(target, request, listener) {
      return target.isName === true ? sendByName(target, request, listener) : sendTo(target, request, listener);
    },
    retain(services) {
      for (const client of loaded) client.retain(services);
    },
    stats() {
      const all = loaded.map((client) => client.stats());
      const sum = (part: 'active' | 'idle'): number => all.reduce((total, stats) => total + stats[part], 0);
      return { active: sum('active'), idle: sum('idle') };
    },
    async close() {
      await Promise.all(loaded.map(async (client) => client.close()));
    },
  };
}
