/** What a client may take of the gateway, and what it is told beyond that. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { send } from '../support/client.ts';
import { headers as headersFrame, openFrames, requestHead } from '../support/http2-frames.ts';
import { startLatchkey } from '../support/latchkey-process.ts';
import { oneService, type OneService } from '../support/one-service.ts';
import { replaceFile } from '../support/replace-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startUpstream } from '../support/upstream.ts';
import { until } from '../support/until.ts';

const ingressClass = (annotations: Readonly<Record<string, string>>): string => `apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: kong, annotations: ${JSON.stringify(annotations)} }
spec: { controller: ingress-controllers.konghq.com/kong }
`;

async function start(flags: readonly string[], service: OneService = {}) {
  const upstream = await startUpstream();
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'all.yaml'), oneService(upstream.port, service));
  const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '1', ...flags]);
  onTestFinished(async () => {
    await latchkey.stop();
    await upstream.close();
  });
  // What a busy worker has not told in time is in the next answer.
  const figure = async (series: string): Promise<number> => {
    const { body } = await send({ port: latchkey.statusPort, path: '/metrics' });
    const line = body.split('\n').find((each) => each.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? 0);
  };
  const refused = async (reason: string): Promise<number> =>
    figure(`latchkey_refused_requests_total{reason="${reason}"}`);
  return { upstream, dir, port: latchkey.proxyPort, httpsPort: latchkey.httpsPort, figure, refused };
}

/** A body of unknown length, a piece at a time. Resolves with the status once there is an answer. */
async function sendInPieces(port: number, pieces: readonly string[]): Promise<number> {
  const request = httpRequest({ port, path: '/', method: 'POST' });
  request.on('error', () => undefined); // the gateway closes amid the body
  const answered = new Promise<number>((resolve) =>
    request.once('response', (answer: IncomingMessage) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    }),
  );
  for (const piece of pieces) request.write(piece);
  request.end();
  return answered;
}

describe('a body', () => {
  const kib = 'x'.repeat(1024);

  test('of a stated length beyond the limit is 413 before a byte of it goes on', async () => {
    const { port, upstream, refused } = await start(['--client-max-body-size', '2k']);
    expect((await send({ port, path: '/', method: 'POST', body: kib + kib })).status).toBe(200);
    upstream.take();
    const { status, body } = await send({ port, path: '/', method: 'POST', body: `${kib}${kib}x` });
    expect([status, body]).toMatchObject([413, expect.stringContaining('Payload too large')]);
    expect(upstream.take()).toEqual([]);
    await expect.poll(async () => refused('body-size')).toBe(1);
  });

  test('of no stated length is 413 as soon as there is too much of it, and no upstream takes it for whole', async () => {
    const { port, upstream, refused } = await start(['--client-max-body-size', '2k']);
    expect(await sendInPieces(port, [kib, kib])).toBe(200);
    upstream.take();
    expect(await sendInPieces(port, [kib, kib, kib])).toBe(413);
    expect(upstream.take()).toEqual([]);
    await expect.poll(async () => refused('body-size')).toBe(1);
  });

  test('that is read whole before it goes on is measured as well', async () => {
    const route = { 'konghq.com/request-buffering': 'true' };
    const { port, upstream } = await start(['--client-max-body-size', '2k'], { route });
    expect(await sendInPieces(port, [kib, kib])).toBe(200);
    upstream.take();
    expect(await sendInPieces(port, [kib, kib, kib])).toBe(413);
    expect(upstream.take()).toEqual([]);
  });

  test('may have any size where nobody says otherwise', async () => {
    const { port } = await start([]);
    expect((await send({ port, path: '/', method: 'POST', body: kib.repeat(20_000) })).status).toBe(200);
  });

  test('an Ingress says so for its own routes', async () => {
    const { port } = await start([], { route: { 'latchkey.dev/client-max-body-size': '1K' } });
    expect((await send({ port, path: '/', method: 'POST', body: kib })).status).toBe(200);
    expect((await send({ port, path: '/', method: 'POST', body: `${kib}x` })).status).toBe(413);
  });
});

test('a target that is too long is 414', async () => {
  const { port, refused } = await start(['--client-uri-bytes', '100']);
  expect((await send({ port, path: `/${'a'.repeat(99)}` })).status).toBe(200);
  expect((await send({ port, path: `/${'a'.repeat(100)}` })).status).toBe(414);
  await expect.poll(async () => refused('uri-size')).toBe(1);
});

test('a head with too many fields is 431, and none of them is lost in silence below that', async () => {
  const { port, upstream, refused } = await start(['--client-header-count', '2000', '--client-header-bytes', '60000']);
  upstream.server.maxHeadersCount = 0; // what Node leaves out there is none of ours
  const fields = (count: number) => Array.from({ length: count }, (_, i) => [`x-${i}`, '1'] as const);
  expect((await send({ port, path: '/', headers: fields(1100) })).status).toBe(200);
  const seen = upstream.take()[0]?.rawHeaders.filter((name) => /^x-\d+$/.test(name));
  expect(seen).toHaveLength(1100);
  expect((await send({ port, path: '/', headers: fields(2001) })).status).toBe(431);
  await expect.poll(async () => refused('header-count')).toBe(1);
  expect(upstream.take()).toEqual([]);
});

test('a slow head is 408 within its time, and others are served meanwhile', async () => {
  const { port, refused } = await start(['--client-header-timeout-ms', '500']);
  const slow = connect({ port, host: '127.0.0.1' });
  let text = '';
  slow.on('data', (chunk: Buffer) => (text += chunk.toString()));
  slow.write('GET / HTTP/1.1\r\nHost: a\r\n');
  const closed = once(slow, 'close');
  expect((await send({ port, path: '/' })).status).toBe(200);
  await closed;
  expect(text).toMatch(/^HTTP\/1\.1 408 [^]*Request timeout/);
  await expect.poll(async () => refused('request-timeout')).toBe(1);
});

test('a body over HTTP/2 that does not come is 408, and counted as such', async () => {
  const { port, refused } = await start(['--client-request-timeout-ms', '300']);
  const client = openFrames(port);
  await client.send(headersFrame(1, requestHead('/', { method: 'POST' }), 0));
  await client.untilTold('1: 408');
  await expect.poll(async () => refused('request-timeout')).toBe(1);
});

test('a connection that says nothing is closed', async () => {
  const { port } = await start(['--client-header-timeout-ms', '300']);
  const silent = connect({ port, host: '127.0.0.1' });
  await once(silent, 'close');
});

test.for(['', '\x16\x03\x01\x02'])(
  'a handshake of TLS that gets no further than %j is cut in its time',
  async (begun) => {
    const { httpsPort, refused } = await start(['--client-header-timeout-ms', '300']);
    const slow = connect({ port: httpsPort, host: '127.0.0.1' });
    slow.on('error', () => undefined);
    slow.write(Buffer.from(begun, 'latin1'));
    await once(slow, 'close');
    await expect.poll(async () => refused('request-timeout')).toBe(1);
  },
);

const openOn = async (port: number) => {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
};

let served = 0;

test('one connection more than a worker may have is closed, and there is room again when another ends', async () => {
  const { port, refused } = await start(['--max-connections', '3']);
  const open = async () => openOn(port);
  const held = [await open(), await open(), await open()];
  await once(await open(), 'close');
  await expect.poll(async () => refused('connections')).toBe(1);
  held[0]?.destroy();
  await until({
    what: 'a request is served',
    holds: () => served === 200,
    subscribe: (check) => {
      const timer = setInterval(() => {
        send({ port, path: '/' }).then(
          ({ status }) => {
            served = status;
            check();
          },
          () => undefined, // not yet
        );
      }, 20);
      return () => clearInterval(timer);
    },
  });
  for (const socket of held) socket.destroy();
});

test('the connections of all ports count together', async () => {
  const { port, httpsPort, figure, refused } = await start(['--max-connections', '3']);
  const held = [await openOn(port), await openOn(httpsPort), await openOn(port)];
  // Which of two ports is looked at first is the kernel's choice.
  while ((await figure('kong_nginx_connections_total{worker="0",subsystem="http",state="active"}')) < held.length);
  await once(await openOn(httpsPort), 'close');
  await once(await openOn(port), 'close');
  await expect.poll(async () => refused('connections')).toBe(2);
  for (const socket of held) socket.destroy();
});

test('one WebSocket more than a worker may have is 503', async () => {
  const { port, upstream, refused } = await start(['--max-tunnels', '1']);
  const sockets = new WebSocketServer({ server: upstream.server });
  const first = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(first, 'open');
  const second = new WebSocket(`ws://127.0.0.1:${port}/`);
  const [error] = (await once(second, 'error')) as [Error];
  expect(error.message).toContain('503');
  await expect.poll(async () => refused('tunnels')).toBe(1);
  first.terminate();
  sockets.close();
});

test('the WebSockets of all ports count together', async () => {
  const { port, httpsPort, upstream, refused } = await start(['--max-tunnels', '1']);
  const sockets = new WebSocketServer({ server: upstream.server });
  const first = new WebSocket(`wss://127.0.0.1:${httpsPort}/`, { rejectUnauthorized: false });
  await once(first, 'open');
  const [error] = (await once(new WebSocket(`ws://127.0.0.1:${port}/`), 'error')) as [Error];
  expect(error.message).toContain('503');
  await expect.poll(async () => refused('tunnels')).toBe(1);
  first.terminate();
  sockets.close();
});

test('the ingress class changes limits while the gateway runs, and gives them back', async () => {
  const { port, dir } = await start(['--client-max-body-size', '4k']);
  const status = async (): Promise<number> =>
    (await send({ port, path: '/', method: 'POST', body: 'x'.repeat(3000) })).status;
  const untilStatus = async (wanted: number): Promise<void> => {
    let last = await status();
    await until({
      what: `status ${wanted}`,
      holds: () => last === wanted,
      subscribe: (check) => {
        const timer = setInterval(() => {
          void status().then((now) => {
            last = now;
            check();
          });
        }, 20);
        return () => clearInterval(timer);
      },
    });
  };
  expect(await status()).toBe(200);
  writeFileSync(join(dir, 'class.yaml'), ingressClass({ 'latchkey.dev/client-max-body-size': '2k' }));
  await untilStatus(413);
  replaceFile(join(dir, 'class.yaml'), ingressClass({ 'latchkey.dev/client-max-body-size': 'much' }));
  await untilStatus(200);
});

test('the ingress class changes limits of time and of the head while the gateway runs', async () => {
  const { port, dir, refused } = await start([]);
  const slow = await openOn(port);
  let text = '';
  slow.on('data', (chunk: Buffer) => (text += chunk.toString()));
  slow.write('GET / HTTP/1.1\r\nHost: a\r\n');
  const kept = await openOn(port);
  kept.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(kept, 'data');
  const limits = { 'client-header-timeout-ms': '500', 'client-idle-timeout-ms': '300', 'client-header-bytes': '1024' };
  const annotations = Object.entries(limits).map(([name, value]) => [`latchkey.dev/${name}`, value]);
  writeFileSync(join(dir, 'class.yaml'), ingressClass(Object.fromEntries(annotations)));
  // The default is 10 s, which is more than `once` waits here.
  await once(slow, 'close', { signal: AbortSignal.timeout(8_000) });
  expect(text.slice(0, 12)).toBe('HTTP/1.1 408');
  await expect.poll(async () => refused('request-timeout')).toBe(1);
  kept.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(kept, 'close', { signal: AbortSignal.timeout(60_000) });
  const long = await openOn(port);
  let answer = '';
  long.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  long.write(`GET / HTTP/1.1\r\nHost: a\r\nx: ${'x'.repeat(2_000)}\r\n\r\n`);
  await once(long, 'close');
  expect(answer.slice(0, 12)).toBe('HTTP/1.1 431');
});

test('an upgrade with a body is 400', async () => {
  const { port, upstream } = await start([]);
  const headers = [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Content-Length', '4'],
  ] as const;
  const socket = connect({ port, host: '127.0.0.1' });
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.write(
    `GET / HTTP/1.1\r\nHost: a\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\nbody`,
  );
  await once(socket, 'close');
  expect([text.slice(0, 12), upstream.take()]).toEqual(['HTTP/1.1 400', []]);
});
