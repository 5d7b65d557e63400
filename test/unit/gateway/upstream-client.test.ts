/** The clients together, on real sockets: which connections are used again, and what is given up when. */
import { proxySettings } from '../../support/proxy-settings.ts';
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createRawServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { nameResolver } from '#gateway/resolve.ts';
import { upstreamClient } from '#gateway/upstream-client.ts';
import type { PoolSettings } from '#gateway/proxy-settings.ts';
import type { UpstreamFault, UpstreamRequest } from '#gateway/upstream.ts';
import type { ServiceEntry, Target, UpstreamTls } from '#table/service-entry.ts';
import { startDnsServer } from '../../support/dns-server.ts';
import { caCertificate, otherCaCertificate, serverPair } from '../../support/signed-certificates.ts';

const trusting: UpstreamTls = { id: 'a', isVerified: true, depth: 1, ca: caCertificate };
const unverified: UpstreamTls = { id: 'b', isVerified: false, depth: 1 };

const serviceOf = (target: Target, tls?: UpstreamTls): ServiceEntry => ({
  kind: 'service',
  key: 'service:default/web/80',
  targets: [target],
  ...(tls === undefined ? {} : { tls }),
  path: '/',
  retries: 0,
  connectTimeoutMs: 1_000,
  writeTimeoutMs: 1_000,
  readTimeoutMs: 1_000,
});

async function startServer(serve: RequestListener, security: 'plain' | 'tls') {
  const pair = { cert: serverPair.certificate, key: serverPair.privateKey };
  const server: Server = security === 'tls' ? createHttpsServer(pair, serve) : createHttpServer(serve);
  const connections: Socket[] = [];
  server.on('connection', (socket) => connections.push(socket));
  server.keepAliveTimeout = 60_000; // so that it is never the server who closes a connection
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port }, connections };
}

/** A server that takes connections and never reads from them. */
async function startDeaf() {
  const sockets: Socket[] = [];
  const server = createRawServer({ pauseOnConnect: true }, (socket) => {
    sockets.push(socket.on('error', () => undefined));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

function startClient(servers?: readonly string[], pools: Partial<PoolSettings> = {}) {
  const settings = { ...proxySettings().pools, ...pools };
  const client = upstreamClient(nameResolver(servers === undefined ? {} : { servers }), settings);
  onTestFinished(async () => client.close());
  const send = async (target: Target, more: Partial<UpstreamRequest> = {}): Promise<number | UpstreamFault> =>
    new Promise((resolve) => {
      let status = 0;
      const timeouts = { connectTimeoutMs: 5_000, writeTimeoutMs: 5_000, readTimeoutMs: 5_000 };
      const head = { method: 'GET', path: '/', headers: ['Host', 'upstream.example'] };
      client.send(
        target,
        { ...head, body: null, ...timeouts, ...more },
        {
          onHead: (seen) => void (status = seen),
          onData: () => true,
          onHeadAlone: () => undefined,
          onInterim: () => undefined,
          onEnd: () => resolve(status),
          onFault: (fault) => resolve(fault),
        },
      );
    });
  return { client, send };
}

const answer: RequestListener = (_, response) => void response.end('ok');

test('a connection over TLS is used again, by the settings that it was made with alone', async () => {
  const { target, connections } = await startServer(answer, 'tls');
  const { send } = startClient();
  for (let i = 0; i < 20; i += 1) expect(await send(target, { tls: trusting })).toBe(200);
  expect(connections).toHaveLength(1);
  expect(await send(target, { tls: unverified })).toBe(200);
  expect(connections).toHaveLength(2);
});

test('a connection that was verified for one name is not used for another', async () => {
  const { target, connections } = await startServer(answer, 'tls');
  const { send } = startClient();
  expect(await send(target, { tls: trusting })).toBe(200);
  expect(await send(target, { tls: trusting, headers: ['Host', 'other.example'] })).toBe('connect');
  expect(await send(target, { tls: trusting, headers: ['Host', '127.0.0.1'] })).toBe(200);
  expect(connections).toHaveLength(3);
});

test('connections of settings that no service has any more are closed', async () => {
  const { target, connections } = await startServer(answer, 'tls');
  const { client, send } = startClient();
  await send(target, { tls: trusting });
  const [connection] = connections;
  const closed = once(connection as Socket, 'close');
  client.retain([serviceOf(target, unverified)]);
  await closed;
  expect(await send(target, { tls: unverified })).toBe(200);
});

test('nothing is sent to an endpoint whose CA is not trusted', async () => {
  const asked: string[] = [];
  const { target } = await startServer((request, response) => {
    asked.push(request.url ?? '');
    response.end();
  }, 'tls');
  const { send } = startClient();
  expect(await send(target, { tls: { ...trusting, ca: otherCaCertificate } })).toBe('connect');
  expect(asked).toEqual([]);
});

test.for(['plain', 'tls'] as const)(
  'a request under way to an endpoint that goes is finished (%s)',
  async (security) => {
    let held: ServerResponse | undefined;
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    const { target, connections } = await startServer((_, response) => {
      held = response;
      arrive();
    }, security);
    const { client, send } = startClient();
    const outcome = send(target, security === 'tls' ? { tls: trusting } : {});
    await arrived;
    client.retain([]);
    held?.end('late');
    expect(await outcome).toBe(200);
    if (!(connections[0] as Socket).destroyed) await once(connections[0] as Socket, 'close');
  },
);

test('an endpoint that never ends its handshake is given up in time', async () => {
  const target = await startDeaf();
  const { send } = startClient();
  expect(await send(target, { tls: trusting, connectTimeoutMs: 50 })).toBe('connect-timeout');
});

/** More than the buffers of two sockets hold. */
const large = Buffer.alloc(32 * 1024 * 1024);

async function* inParts(): AsyncGenerator<Buffer> {
  for (let at = 0; at < large.byteLength; at += 1024 * 1024) yield large.subarray(at, at + 1024 * 1024);
}

test('an endpoint that takes no body in is given up in time, whether the body is at hand or streamed', async () => {
  const target = await startDeaf();
  const { send } = startClient();
  const headers = ['Host', 'a', 'Content-Length', String(large.byteLength)];
  const request = { method: 'POST', headers, writeTimeoutMs: 50, readTimeoutMs: 60_000 };
  expect(await send(target, { ...request, body: large })).toBe('timeout');
  expect(await send(target, { ...request, body: inParts() })).toBe('timeout');
});

test('one that takes no body in over TLS neither', async () => {
  const server = createTlsServer({ cert: serverPair.certificate, key: serverPair.privateKey }, (socket) => {
    sockets.push(socket.on('error', () => undefined).pause());
  });
  const sockets: Socket[] = [];
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const { send } = startClient();
  const headers = ['Host', 'a', 'Content-Length', String(large.byteLength)];
  const request = { method: 'POST', headers, tls: unverified, writeTimeoutMs: 50, readTimeoutMs: 60_000 };
  expect(await send(target, { ...request, body: large })).toBe('timeout');
  expect(await send(target, { ...request, body: inParts() })).toBe('timeout');
});

test('a body is not read before its connection is there: another target gets it whole', async () => {
  const { send } = startClient();
  let parts = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    parts += 1;
    yield Buffer.from('a');
  }
  const request = { method: 'POST', headers: ['Host', 'a'], body: counted() };
  expect(await send({ host: '127.0.0.1', port: 1 }, request)).toBe('connect');
  expect(parts).toBe(0);
});

test.for(['shorter', 'longer'] as const)(
  'a body that is %s than was stated ends the connection, and is no request',
  async (how) => {
    const asked: string[] = [];
    const { target } = await startServer((request, response) => {
      asked.push(request.url ?? '');
      request.resume().once('end', () => response.end('ok'));
    }, 'plain');
    const { send } = startClient();
    async function* body(): AsyncGenerator<Buffer> {
      yield Buffer.from('a');
      if (how === 'longer') yield Buffer.from('bGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n');
    }
    const headers = ['Host', 'a', 'Content-Length', '2'];
    expect(await send(target, { method: 'POST', headers, body: body() })).toBe('closed');
    expect(await send(target)).toBe(200);
    expect(asked).toEqual(['/', '/']);
  },
);

test('a connection whose request was answered before its body had left is not used again', async () => {
  const { target, connections } = await startServer((_, response) => response.end('early'), 'plain');
  const { send } = startClient();
  const { promise: never } = Promise.withResolvers<void>();
  async function* endless(): AsyncGenerator<Buffer> {
    yield Buffer.from('a');
    await never;
  }
  const headers = ['Host', 'a', 'Content-Length', '2'];
  expect(await send(target, { method: 'POST', headers, body: endless() })).toBe(200);
  expect(await send(target)).toBe(200);
  expect(connections).toHaveLength(2);
});

test.for(['plain', 'tls'] as const)('no more idle connections are kept than may be (%s)', async (security) => {
  const { target, connections } = await startServer(answer, security);
  const { client, send } = startClient(undefined, { size: 2 });
  const request = security === 'tls' ? { tls: trusting } : {};
  expect(await Promise.all([1, 2, 3].map(async () => send(target, request)))).toEqual([200, 200, 200]);
  // A load that went on would use the third again: it is closed when none has done so for a second.
  const before = client.stats().idle;
  await Promise.any(connections.map(async (socket) => once(socket, 'close')));
  expect([connections.length, before, client.stats()]).toEqual([3, 3, { active: 0, idle: 2 }]);
});

test('a client that is slow to send costs the endpoint no write timeout', async () => {
  const { target } = await startServer((request, response) => {
    request.resume().once('end', () => response.end('ok'));
  }, 'plain');
  const { send } = startClient();
  const { promise: pause, resolve: goOn } = Promise.withResolvers<void>();
  async function* slowly(): AsyncGenerator<Buffer> {
    yield Buffer.from('a');
    setTimeout(goOn, 60);
    await pause;
    yield Buffer.from('b');
  }
  const headers = ['Host', 'a', 'Content-Length', '2'];
  expect(await send(target, { method: 'POST', headers, body: slowly(), writeTimeoutMs: 20 })).toBe(200);
});

test('a name is asked for and its address connected to; one that leads nowhere is told', async () => {
  const dns = await startDnsServer({ 'upstream.example': { addresses: ['127.0.0.1'], ttl: 60 } });
  onTestFinished(() => dns.close());
  const { target, connections } = await startServer(answer, 'plain');
  const { client, send } = startClient([dns.server]);
  const named: Target = { host: 'upstream.example', port: target.port, isName: true };
  expect([await send(named), await send(named)]).toEqual([200, 200]);
  expect(connections).toHaveLength(1);
  client.retain([serviceOf(named)]);
  expect(await send(named)).toBe(200);
  expect(connections).toHaveLength(1);
  expect(await send({ ...named, host: 'nowhere.example' })).toBe('name');
});
