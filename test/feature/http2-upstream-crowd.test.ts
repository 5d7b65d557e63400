/** Many requests at a time to an upstream of HTTP/2 that does something wrong with every other: none gets another's answer. */
import { once } from 'node:events';
import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { http2Upstream } from '#gateway/http2-upstream.ts';
import type { UpstreamFault } from '#gateway/upstream.ts';
import { proxySettings } from '../support/proxy-settings.ts';
import { until } from '../support/until.ts';

const answer = (stream: ServerHttp2Stream, path: string): void => {
  if (stream.destroyed) return;
  stream.respond({ ':status': 200 });
  stream.write(path.slice(0, 2));
  setImmediate(() => {
    if (!stream.destroyed) stream.end(path.slice(2));
  });
};

/** What becomes of every so many-eth request. */
const mishaps: readonly (readonly [every: number, mishap: (stream: ServerHttp2Stream, path: string) => void])[] = [
  [37, (stream) => stream.session?.destroy()],
  [
    31,
    (stream, path) => {
      stream.session?.close();
      answer(stream, path);
    },
  ],
  [23, (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR)],
  [19, (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM)],
  [
    17,
    (stream, path) => {
      answer(stream, path);
      stream.destroy();
    },
  ],
  [3, (stream, path) => setTimeout(() => answer(stream, path), 5)],
];

async function startUpstream(streams: number) {
  const server = createServer({ settings: { maxConcurrentStreams: streams } });
  const sessions = new Set<ServerHttp2Session>();
  let count = 0;
  server.on('sessionError', () => undefined);
  server.on('session', (session) => {
    sessions.add(session.on('error', () => undefined).on('close', () => sessions.delete(session)));
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined);
    count += 1;
    const [, mishap = answer] = mishaps.find(([every]) => count % every === 0) ?? [];
    mishap(stream, headers[':path'] ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, sessions };
}

function clientOf(port: number) {
  const client = http2Upstream(proxySettings(['--upstream-keepalive-pool-size', '8']).pools);
  const times = { connectTimeoutMs: 10_000, writeTimeoutMs: 10_000, readTimeoutMs: 10_000 };
  return {
    client,
    /** Its body, or how it failed; rejects when it is told twice. */
    ask: async (path: string): Promise<string> =>
      new Promise((resolve, reject) => {
        let [body, ends] = ['', 0];
        const settle = (outcome: string): void => {
          ends += 1;
          if (ends > 1) reject(new Error(`${path} ended again: ${outcome}`));
          // It would be told again by now.
          setImmediate(() => setImmediate(resolve, outcome));
        };
        const request = { method: 'GET', path, headers: ['Host', 'a'], body: null, ...times };
        client.send({ host: '127.0.0.1', port }, request, {
          onInterim: () => undefined,
          onHead: () => undefined,
          onHeadAlone: () => undefined,
          onData: (chunk) => {
            body += chunk.toString();
            return true;
          },
          onEnd: () => settle(body),
          onFault: (fault: UpstreamFault) => settle(fault),
        });
      }),
  };
}

test.for([1, 3, 100])('at %i streams a connection', async (streams) => {
  const { port, sessions } = await startUpstream(streams);
  const { client, ask } = clientOf(port);
  const faults: string[] = [];
  let next = 0;
  const askOn = async (): Promise<void> => {
    while (next < 1_500) {
      const path = `/${(next += 1)}/body`;
      const outcome = await ask(path);
      if (outcome !== path) faults.push(outcome);
    }
  };
  await Promise.all(Array.from({ length: 32 }, askOn));
  expect(new Set(faults)).toEqual(new Set(['closed', 'invalid', 'refused']));
  expect(faults.length).toBeLessThan(1_400);

  await client.close();
  await until({
    what: 'every connection is closed',
    holds: () => sessions.size === 0,
    deadlineMs: 10_000,
    subscribe: (check) => {
      const timer = setInterval(check, 10);
      return () => clearInterval(timer);
    },
  });
});
