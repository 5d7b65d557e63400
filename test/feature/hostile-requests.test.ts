/** Hostile requests that take more than a row of raw-requests: long lists, waiting clients, WebSockets. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Pipeline } from '#pipeline.ts';
import { consumer, ingress, keySecret, plugin, service, slice } from '../support/objects.ts';
import { pipelineOf } from '../support/silent-pipeline.ts';
import { seenHeader, startUpstream } from '../support/upstream.ts';

let upstream: Awaited<ReturnType<typeof startUpstream>>;
let pipeline: Pipeline;
let sockets: WebSocketServer;
/** Raw headers of the upgrade that the upstream saw last. */
let upgradeHeaders: readonly string[] = [];

beforeAll(async () => {
  upstream = await startUpstream();
  sockets = new WebSocketServer({ server: upstream.server });
  sockets.on('connection', (socket, request) => {
    upgradeHeaders = request.rawHeaders;
    socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`));
  });
  const none = { created: undefined, isBroken: false };
  pipeline = await pipelineOf([
    ingress({ name: 'open', path: '/', service: 's', plugins: [], ...none }),
    ingress({ name: 'guarded', path: '/guarded', service: 's', plugins: ['p'], ...none }),
    plugin({ name: 'p', type: 'key-auth', config: {}, isDisabled: false, isGlobal: false }),
    consumer({ name: 'bob', username: 'bob', credentials: ['k'], created: undefined, class: 'kong' }),
    keySecret('k', 'bobs-key'),
    service({ name: 's', port: 80, plugins: [] }),
    slice({ name: 's-1', service: 's', address: '127.0.0.1', port: upstream.port }),
  ]);
});

afterAll(async () => {
  await pipeline.stop(0);
  sockets.close();
  await upstream.close();
});

beforeEach(() => void upstream.take());

/** Sends bytes and gives everything that comes back until the gateway closes the connection. */
async function exchange(bytes: string): Promise<string> {
  const socket = connect(pipeline.port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(bytes, 'latin1');
  await once(socket, 'close', { signal: AbortSignal.timeout(60_000) });
  return received;
}

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);

describe('what passes', () => {
  test.for([
    [90, 200, ['bob']],
    [5_000, 431, []],
  ] as const)(
    'a list of %i headers is never cut in silence: a key at its end counts',
    async ([count, status, username]) => {
      const filler = 'a:1\r\n'.repeat(count);
      const head = 'GET /guarded HTTP/1.1\r\nHost: a\r\nConnection: close\r\n';
      const answer = await exchange(`${head}${filler}apikey: bobs-key\r\n\r\n`);
      expect([statusOf(answer), seenHeader(upstream.take()[0], 'X-Consumer-Username')]).toEqual([status, username]);
    },
  );

  test('100 Continue comes only once the key is good', async () => {
    const head = (key: string): string =>
      `POST /guarded HTTP/1.1\r\nHost: a\r\napikey: ${key}\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`;
    expect(await exchange(head('wrong'))).toMatch(/^HTTP\/1\.1 401 /);
    expect(await exchange(`${head('bobs-key')}abc`)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    expect(upstream.take().map(({ body }) => body)).toEqual(['abc']);
  });
});

describe('WebSocket', () => {
  const forged = { 'X-Consumer-Username': 'mallory', x_consumer_id: 'x', 'X-Anonymous-Consumer': 'true' };

  test('with a key it is joined to the upstream, who learns who calls, and nothing forged', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${pipeline.port}/guarded/x`, {
      headers: { ...forged, apikey: 'bobs-key' },
    });
    await once(socket, 'open');
    socket.send('hello');
    expect(String((await once(socket, 'message'))[0])).toBe('echo hello');
    const seen = { method: '', path: '', body: '', rawHeaders: upgradeHeaders };
    expect(seenHeader(seen, 'X-Consumer-Username')).toEqual(['bob']);
    expect([seenHeader(seen, 'x_consumer_id'), seenHeader(seen, 'X-Anonymous-Consumer')]).toEqual([[], []]);
    socket.close();
    await once(socket, 'close');
  });

  test('on an open route forged identity headers end here too', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${pipeline.port}/x`, { headers: forged });
    await once(socket, 'open');
    const seen = { method: '', path: '', body: '', rawHeaders: upgradeHeaders };
    for (const name of Object.keys(forged)) expect([name, seenHeader(seen, name)]).toEqual([name, []]);
    socket.close();
    await once(socket, 'close');
  });

  test('without a key it is refused before the upgrade', async () => {
    upgradeHeaders = [];
    const socket = new WebSocket(`ws://127.0.0.1:${pipeline.port}/guarded`);
    socket.on('error', () => undefined);
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect([response.statusCode, upgradeHeaders]).toEqual([401, []]);
  });

  test('another protocol is not switched to; the request is served as if it had not asked', async () => {
    const answer = await exchange('GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n');
    expect([statusOf(answer), seenHeader(upstream.take()[0], 'Upgrade')]).toEqual([200, []]);
  });
});
