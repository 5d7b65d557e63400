import type { Target } from '#table/service-entry.ts';
import { http1Upstream } from './http1-upstream.ts';
import type { ResponseListener, UpstreamClient, UpstreamExchange, UpstreamRequest } from './upstream.ts';

/** An exchange whose client is still being loaded. */
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

/**
 * The lean client for what it does, undici for bodies that are streamed. undici is loaded when the first
 * such request comes: it takes as long to load as all the rest of a worker.
 */
export function upstreamClient(): UpstreamClient {
  const lean = http1Upstream();
  let loading: Promise<UpstreamClient> | undefined;
  let streaming: UpstreamClient | undefined;

  const load = async (): Promise<UpstreamClient> => {
    const { undiciUpstream } = await import('./undici-upstream.ts');
    streaming = undiciUpstream();
    return streaming;
  };

  const sendLater = (target: Target, request: UpstreamRequest, listener: ResponseListener): UpstreamExchange => {
    loading ??= load();
    const start = loading.then((client) => (pending.isAborted ? undefined : client.send(target, request, listener)));
    start.catch((error: unknown) => listener.onFault('invalid', error as Error));
    const pending = pendingExchange(start.catch(() => undefined));
    return pending;
  };

  return {
    send(target, request, listener) {
      if (request.body === null || Buffer.isBuffer(request.body)) return lean.send(target, request, listener);
      return streaming === undefined ? sendLater(target, request, listener) : streaming.send(target, request, listener);
    },
    retain(targets) {
      lean.retain(targets);
      streaming?.retain(targets);
    },
    async close() {
      await Promise.all([lean.close(), streaming?.close()]);
    },
  };
}
