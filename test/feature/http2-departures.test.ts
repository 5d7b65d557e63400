/**
 * Clients of HTTP/2 that go away before they have their answers: what they asked for ends at the upstream as well, and
 * nothing of them is kept (RFC 9113 section 5.1).
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { askHttp2, openHttp2 } from '../support/http2-client.ts';
import { flags, frame, headers, preface, requestHead, word } from '../support/http2-frames.ts';
import { oneUpstream } from '../support/raw-stage.ts';
import { until } from '../support/until.ts';

/** An upstream that never comes to the end of an answer, but for `/whole`. */
async function startUnending() {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open.delete(socket);
      server.emit('count');
    });
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      if (text.includes(' /half ')) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf`);
      if (text.includes(' /whole ')) socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    });
    server.emit('count');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    /** Resolves once it has so many connections. */
    untilOpen: async (count: number): Promise<void> => {
      await until({
        what: `${count} connections at the upstream`,
        holds: () => open.size === count,
        deadlineMs: 30_000, // half of the time that an endpoint has for an answer
        subscribe: (check) => {
          server.on('count', check);
          return () => server.off('count', check);
        },
      });
    },
    async close(): Promise<void> {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

let upstream: Awaited<ReturnType<typeof startUnending>>;
let gateway: Awaited<ReturnType<typeof oneUpstream>>;
beforeAll(async () => {
  upstream = await startUnending();
  gateway = await oneUpstream(upstream.port);
});
afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const streams = Array.from({ length: 100 }, (_, i) => 2 * i + 1);

/** As many requests as a connection may have at once: with bodies that do not end, without, answered in part. */
const requests = Buffer.concat(
  streams.flatMap((stream) => {
    const path = stream % 3 === 0 ? '/half' : '/';
    if (stream % 4 === 1) return [headers(stream, requestHead(path))];
    return [headers(stream, requestHead(path, { method: 'POST' }), 0), frame('DATA', { stream }, 'ab')];
  }),
);
const opening = Buffer.concat([
  Buffer.from(preface),
  frame('SETTINGS'),
  frame('SETTINGS', { flag: flags.ACK }),
  requests,
]);

const overTcp = (): Socket => connect(gateway.port, '127.0.0.1');
const overTls = (): Socket =>
  connectTls({ port: gateway.httpsPort, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false });

const resetAll = (client: Socket): void =>
  void client.write(Buffer.concat(streams.map((stream) => frame('RST_STREAM', { stream }, word(8)))));
const end = (client: Socket): void => void client.end();
const cut = (client: Socket): void => void client.resetAndDestroy();
const destroy = (client: Socket): void => void client.destroy();

test.for([
  ['resets its streams', overTcp, resetAll],
  ['resets its streams, over TLS', overTls, resetAll],
  ['ends its connection', overTcp, end],
  ['ends its connection, over TLS', overTls, end],
  ['cuts its connection', overTcp, cut],
  ['cuts its connection, over TLS', overTls, destroy],
] as const)('a client that %s: of 1,000 requests none is left', async ([, open, depart]) => {
  const clients = Array.from({ length: 10 }, () => open());
  onTestFinished(() => clients.forEach((client) => void client.destroy()));
  for (const client of clients) {
    client.on('error', () => undefined).resume();
    client.write(opening);
  }
  await upstream.untilOpen(1_000);
  for (const client of clients) depart(client);
  await upstream.untilOpen(0);
  if (depart === end) await Promise.all(clients.map(async (client) => client.closed || once(client, 'close')));
  expect((await askHttp2(openHttp2(`http://127.0.0.1:${gateway.port}`), { ':path': '/whole' })).status).toBe(200);
});
