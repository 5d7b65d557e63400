import { http1Upstream } from './http1-upstream.ts';
import { undiciUpstream } from './undici-upstream.ts';
import type { UpstreamClient } from './upstream.ts';

/** The lean client for what it does, undici for bodies that are streamed. */
export function upstreamClient(): UpstreamClient {
  const lean = http1Upstream();
  const streaming = undiciUpstream();
  return {
    send(target, request, listener) {
      const isAtHand = request.body === null || Buffer.isBuffer(request.body);
      return (isAtHand ? lean : streaming).send(target, request, listener);
    },
    retain(targets) {
      lean.retain(targets);
      streaming.retain(targets);
    },
    async close() {
      await Promise.all([lean.close(), streaming.close()]);
    },
  };
}
