/** The TLS listener of the whole gateway, met by clients of all kinds: sockets that stay, sockets that say nothing, nonsense. */
import { once } from 'node:events';
import { Agent } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Pipeline } from '#pipeline.ts';
import { fingerprintOf, makePair, tlsSecret } from '../support/certificates.ts';
import { send } from '../support/client.ts';
import { startLatchkey } from '../support/latchkey-process.ts';
import { ingress, service, slice } from '../support/objects.ts';
import { pipelineOf } from '../support/silent-pipeline.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { seenHeader, startUpstream } from '../support/upstream.ts';

const host = 'a.example.com';
const pair = makePair({ names: [host] });

let upstream: Awaited<ReturnType<typeof startUpstream>>;
let sockets: WebSocketServer;
let pipeline: Pipeline;
let upgradeHeaders: readonly string[] = [];

const start = async (): Promise<Pipeline> => {
  const route = ingress({ name: 'a', path: '/', service: 's', plugins: [], created: undefined, isBroken: false });
  return pipelineOf([
    { ...route, spec: { ...(route['spec'] as object), tls: [{ hosts: [host], secretName: 'cert' }] } },
    tlsSecret('cert', pair),
    service({ name: 's', port: 80, plugins: [] }),
    slice({ name: 's-1', service: 's', address: '127.0.0.1', port: upstream.port }),
  ]);
};

beforeAll(async () => {
  upstream = await startUpstream();
  sockets = new WebSocketServer({ server: upstream.server });
  sockets.on('connection', (socket, request) => {
    upgradeHeaders = request.rawHeaders;
    socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`));
  });
  pipeline = await start();
});

afterAll(async () => {
  await pipeline.stop(0);
  sockets.close();
  await upstream.close();
});

const ask = async (serverName: string) =>
  send({ port: pipeline.httpsPort ?? 0, path: '/x', serverName, headers: [['Host', host]] });

test('a request says over TLS how it came', async () => {
  upstream.take();
  const answer = await ask(host);
  expect([answer.status, answer.certificate?.fingerprint]).toEqual([200, fingerprintOf(pair)]);
  const [seen] = upstream.take();
  expect([seenHeader(seen, 'X-Forwarded-Proto'), seenHeader(seen, 'X-Forwarded-Port')]).toEqual([
    ['https'],
    [String(pipeline.httpsPort)],
  ]);
});

test('a WebSocket goes through', async () => {
  const socket = new WebSocket(`wss://127.0.0.1:${pipeline.httpsPort}/chat`, {
    agent: new Agent({ servername: host, ca: pair.certificate }),
    headers: { Host: host },
  });
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  socket.send('hello');
  const [data] = (await once(socket, 'message')) as [Buffer];
  expect(data.toString()).toBe('echo hello');
  expect(upgradeHeaders.join(' ')).toContain('X-Forwarded-Proto https');
});

/** Resolves when the other side has ended the connection. */
const ended = async (socket: Socket): Promise<void> => {
  socket.on('error', () => undefined).resume();
  if (!socket.closed) await once(socket, 'close');
};

test('what is no handshake is dropped, and an odd server name fails nobody else', async () => {
  for (const text of ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\u0016\u0003\u0001\u0000\u0005hello', '\0'.repeat(600)]) {
    const socket = connect(pipeline.httpsPort ?? 0, '127.0.0.1');
    socket.write(text, 'latin1');
    await ended(socket);
  }
  for (const servername of ['..', '.', '*', 'x'.repeat(255), '__proto__', 'constructor', `${'a.'.repeat(100)}b`]) {
    const socket = connectTls({
      port: pipeline.httpsPort ?? 0,
      host: '127.0.0.1',
      servername,
      rejectUnauthorized: false,
    });
    const met = await Promise.race([
      once(socket, 'secureConnect').then(() => 'met'),
      once(socket, 'close').then(() => 'refused'),
    ]).catch(() => 'refused');
    expect(met).toMatch(/met|refused/);
    socket.destroy();
  }
  expect(await ask(host)).toMatchObject({ status: 200 });
});

test('a client that never finishes its handshake holds up no end', async () => {
  const patience = ['--client-header-timeout-ms', '600000', '--drain-timeout-ms', '100'];
  const other = await startLatchkey(['run', '--dir', temporaryFolder(), '--workers', '1', ...patience]);
  onTestFinished(() => void other.child.kill('SIGKILL'));
  const silentOnes = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const socket = connect(other.httpsPort, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(Buffer.from([0x16, 0x03, 0x01]));
      return socket;
    }),
  );
  // One that has: its connection is known to be served, so the others have been accepted by now.
  await send({ port: other.httpsPort, path: '/', serverName: host, headers: [['Host', host]] });
  const ends = silentOnes.map(ended);
  expect(await other.stop()).toBe(0);
  await Promise.all(ends);
  // As a worker is whose drain waits for a handshake.
  expect(other.output()).not.toContain('is ended');
});
