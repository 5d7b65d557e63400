/** Connections that rest, on Node's own servers: its fields that nobody promises are the same as they were. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import type { RestCredit } from '#gateway/rest-credit.ts';
import { createRestingClients } from '#gateway/resting-clients.ts';
import { serverPair } from '../../support/signed-certificates.ts';
import { until } from '../../support/until.ts';

const often = (check: () => void): (() => void) => {
  const timer = setInterval(check, 5);
  return () => clearInterval(timer);
};

/** Node's server has a parser for each of its connections that are open. */
const isAtRest = (socket: Socket | undefined): boolean =>
  socket?.destroyed === false && (socket as Socket & { parser?: object | null }).parser === null;

const untilRest = async (socket: () => Socket | undefined): Promise<boolean> =>
  until({ what: 'the connection rests', subscribe: often, holds: () => isAtRest(socket()) });

const untilClosed = async (socket: Socket | undefined) =>
  until({ what: 'the connection closes', subscribe: often, holds: () => socket?.closed, deadlineMs: 10_000 });

const answerPath: RequestListener = (request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += String(chunk)));
  request.on('end', () => response.end(`[${request.url} ${body}]`));
};

/** A server whose idle connections rest. */
async function serveResting(
  server: Server,
  event: 'connection' | 'secureConnection' = 'connection',
  credit?: RestCredit,
) {
  const [toNode] = server.listeners(event) as [(socket: Socket) => void];
  const resting = createRestingClients(server, (socket) => toNode.call(server, socket), credit);
  const sockets: Socket[] = [];
  server.removeAllListeners(event);
  server.on(event, (socket: Socket) => {
    sockets.push(socket);
    resting.serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { resting, sockets, port: (server.address() as AddressInfo).port };
}

const serveHttp = async (options: ServerOptions = {}, answer: RequestListener = answerPath) =>
  serveResting(createServer({ keepAliveTimeout: 60_000, ...options }, answer));

/** A client that writes bytes. */
function clientOf(socket: Socket) {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  const hears = async (part: string): Promise<boolean> =>
    until({ what: `${part} comes, after ${text}`, subscribe: often, holds: () => text.includes(part) });
  return {
    socket,
    text: () => text,
    hears,
    write: (bytes: string) => socket.write(bytes, 'latin1'),
    async asks(path: string): Promise<boolean> {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      return hears(`[${path} ]`);
    },
  };
}
const clientTo = (port: number) => clientOf(connect(port, '127.0.0.1'));

/** All that listens to a connection. */
const listenersOf = (socket: Socket | undefined) =>
  socket?.eventNames().map((event) => [event, socket.listenerCount(event)]);

test('a silent connection rests, asks again, and rests again', async () => {
  const { sockets, port } = await serveHttp();
  const client = clientTo(port);
  await client.asks('/1');
  await untilRest(() => sockets[0]);
  const listeners = listenersOf(sockets[0]);
  for (const path of ['/2', '/3', '/4']) {
    await client.asks(path);
    expect(isAtRest(sockets[0])).toBe(false);
    await untilRest(() => sockets[0]);
  }
  expect(listenersOf(sockets[0])).toEqual(listeners);
  expect(sockets).toHaveLength(1);
});

test('over TLS as well', async () => {
  const tls = { cert: serverPair.certificate, key: serverPair.privateKey };
  const { sockets, port } = await serveResting(createTlsServer(tls, answerPath), 'secureConnection');
  const client = clientOf(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }));
  await client.asks('/1');
  await untilRest(() => sockets[0]);
  await client.asks('/2');
  await untilRest(() => sockets[0]);
  await client.asks('/3');
});

test('what wakes a connection may be a piece of a head, a body, or more than one request', async () => {
  const { sockets, port } = await serveHttp();
  const client = clientTo(port);
  await client.asks('/1');
  await untilRest(() => sockets[0]);
  client.write('G');
  await until({ what: 'it is awake', subscribe: often, holds: () => !isAtRest(sockets[0]) });
  client.write('ET /piece HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.hears('[/piece ]');
  await untilRest(() => sockets[0]);
  client.write('POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab');
  client.write('cd');
  await client.hears('[/body abcd]');
  await untilRest(() => sockets[0]);
  client.write('GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.hears('[/two ]');
  expect(client.text().indexOf('[/one ]')).toBeLessThan(client.text().indexOf('[/two ]'));
});

test('none rests in a request or an answer, however silent it is', async () => {
  const { sockets, port } = await serveHttp({}, (request, response) => {
    if (request.url !== '/held') return response.end('[done]');
    response.write('[begun]');
    request.socket.once('release', () => response.end('[ended]'));
  });
  const asking = clientTo(port);
  asking.write('GET /late HTTP/1.1\r\nHo');
  const hearing = clientTo(port);
  hearing.write('GET /held HTTP/1.1\r\nHost: a\r\n\r\n');
  await hearing.hears('[begun]');
  // As long as others take to rest twice over.
  const other = clientTo(port);
  for (let i = 0; i < 2; i += 1) {
    other.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until({ what: 'an answer', subscribe: often, holds: () => other.text().split('[done]').length === i + 2 });
    await untilRest(() => sockets.find(({ remotePort }) => remotePort === other.socket.localPort));
  }
  asking.write('st: a\r\n\r\n');
  await asking.hears('[done]');
  for (const socket of sockets) socket.emit('release');
  await hearing.hears('[ended]');
});

test('none that begins a request while others are laid to rest loses a byte', async () => {
  const { sockets, port } = await serveHttp();
  // More than are laid to rest at once.
  const clients = Array.from({ length: 400 }, () => clientTo(port));
  await Promise.all(clients.map(async (client) => client.asks('/1')));
  await until({ what: 'the first rests', subscribe: often, holds: () => sockets.some(isAtRest) });
  const asking = clients.filter((_, i) => i % 2 === 0);
  const asked = sockets.filter(({ remotePort }) => asking.some(({ socket }) => socket.localPort === remotePort));
  const before = asked.map(({ bytesRead }) => bytesRead);
  for (const client of asking) client.write('GET /begun HT');
  const haveBegun = (): boolean => asked.every(({ bytesRead }, i) => bytesRead === (before[i] ?? 0) + 13);
  await until({ what: 'half of them have begun', subscribe: often, holds: haveBegun });
  const others = sockets.filter((socket) => !asked.includes(socket));
  await until({ what: 'the others rest', subscribe: often, holds: () => others.every(isAtRest) });
  expect(asked.some(isAtRest)).toBe(false);
  for (const client of asking) client.write('TP/1.1\r\nHost: a\r\n\r\n');
  await Promise.all(asking.map(async (client) => client.hears('[/begun ]')));
});

test('an upgrade that wakes a connection gets it', async () => {
  const server = createServer(answerPath);
  const { sockets, port } = await serveResting(server);
  server.on('upgrade', (_request, socket, head: Buffer) => socket.write(`[upgraded ${String(head)}]`));
  const client = clientTo(port);
  await client.asks('/1');
  await untilRest(() => sockets[0]);
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhead');
  await client.hears('[upgraded head]');
});

test('the time of an idle connection goes on while it rests', async () => {
  const { sockets, port } = await serveHttp({ keepAliveTimeout: 1_500 });
  const client = clientTo(port);
  await client.asks('/1');
  await untilRest(() => sockets[0]);
  await untilClosed(client.socket);
});

test('a request that wakes a connection is not cut when the idle time would be over', async () => {
  const held: (() => void)[] = [];
  const { sockets, port } = await serveHttp({ keepAliveTimeout: 1_000 }, (request, response) => {
    if (request.url === '/held') held.push(() => response.end('[held]'));
    else response.end(`[${request.url} ]`);
  });
  const client = clientTo(port);
  await client.asks('/1');
  await untilRest(() => sockets[0]);
  client.write('GET /held HTTP/1.1\r\nHost: a\r\n\r\n');
  await until({ what: 'it is held', subscribe: often, holds: () => held.length === 1 });
  const idle = clientTo(port);
  await idle.asks('/2');
  await untilClosed(idle.socket);
  held[0]?.();
  await client.hears('[held]');
});

test('an empty line wakes nobody', async () => {
  const { sockets, port } = await serveHttp();
  const client = clientTo(port);
  await client.asks('/1');
  await untilRest(() => sockets[0]);
  const before = sockets[0]?.bytesRead ?? 0;
  client.write('\r\n');
  await until({ what: 'it has come', subscribe: often, holds: () => sockets[0]?.bytesRead === before + 2 });
  expect(isAtRest(sockets[0])).toBe(true);
  await client.asks('/2');
});

test('a request that wakes a connection has the time that every request has', async () => {
  const { sockets, port } = await serveHttp({ headersTimeout: 300, connectionsCheckingInterval: 50 });
  const client = clientTo(port);
  await client.asks('/1');
  await untilRest(() => sockets[0]);
  client.write('GET /never');
  await client.hears('408 Request Timeout');
  await untilClosed(client.socket);
});

test('a client that goes away while it rests is forgotten', async () => {
  const { sockets, port } = await serveHttp();
  const client = clientTo(port);
  await client.asks('/1');
  await untilRest(() => sockets[0]);
  client.socket.end();
  await untilClosed(sockets[0]);
});

test('a server that closes closes those at rest, and lets none rest any more', async () => {
  const { resting, sockets, port } = await serveHttp();
  const [asleep, asking] = [clientTo(port), clientTo(port)];
  await asleep.asks('/1');
  await untilRest(() => sockets[0]);
  await asking.asks('/2');
  resting.close();
  await untilClosed(asleep.socket);
  expect(isAtRest(sockets[1])).toBe(false);
  await asking.asks('/3');
});

test('none rests without credit, and one that wakes says so', async () => {
  const given = [undefined, undefined, 7];
  const woken: number[] = [];
  const credit = { nextRound: () => undefined, take: () => given.shift(), woke: (round: number) => woken.push(round) };
  const { sockets, port } = await serveResting(createServer(answerPath), 'connection', credit);
  const client = clientTo(port);
  await client.asks('/1');
  await untilRest(() => sockets[0]);
  expect(given).toEqual([]);
  await client.asks('/2');
  expect(woken).toEqual([7]);
});

test('one rests also after a while in which none was idle', async () => {
  let rounds = 0;
  const credit = { nextRound: () => (rounds += 1), take: () => 0, woke: () => undefined };
  const { sockets, port } = await serveResting(createServer(answerPath), 'connection', credit);
  const client = clientTo(port);
  client.write('GET /1 HT');
  // Long enough for lists without anybody.
  await until({ what: 'rounds', subscribe: often, holds: () => rounds > 20 });
  client.write('TP/1.1\r\nHost: a\r\n\r\n');
  await client.hears('[/1 ]');
  await untilRest(() => sockets[0]);
});
