/** Faults of clients that are no row of a table: over TLS, too slow, behind an answer that is still to come. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { oneUpstream, startRawStage } from '../support/raw-stage.ts';
import { startUpstream } from '../support/upstream.ts';
import { get, head, post } from './raw-requests/raw-case.ts';

let stage: Awaited<ReturnType<typeof startRawStage>>;

beforeAll(async () => {
  stage = await startRawStage();
});

afterAll(async () => {
  await stage.stop();
});

/** All that comes until the gateway closes the connection. */
async function received(socket: Socket, bytes: string): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(bytes, 'latin1');
  await once(socket, 'close', { signal: AbortSignal.timeout(60_000) });
  return text;
}

const own = /Server: latchkey\/\S+\r\nX-Kong-Request-Id: [0-9a-f]{32}\r\nConnection: close\r\n/;

describe('over TLS', () => {
  test.for([
    [
      'a broken head',
      'GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n',
      /^HTTP\/1\.1 400 [^]*\r\n\r\nBad request\nrequest_id: /,
    ],
    ['two Hosts', get('/', 'Host: b'), /^HTTP\/1\.1 400 [^]*\r\n\r\nBad request\nrequest_id: /],
    ['a good one, then a broken one', get('/1') + 'x\r\n\r\n', /^HTTP\/1\.1 200 [^]*upstreamHTTP\/1\.1 400 /],
    [
      'a head that is too large',
      get('/', `X-A: ${'a'.repeat(17_000)}`),
      /^HTTP\/1\.1 431 [^]*Request header or cookie too large\n/,
    ],
  ] as const)('%s', async ([, bytes, expected]) => {
    const socket = connectTls({ port: stage.httpsPort, host: '127.0.0.1', rejectUnauthorized: false });
    const text = await received(socket, bytes);
    expect(text).toMatch(expected);
    expect(text).toMatch(own);
    expect(await stage.seen()).not.toContain('Host: b');
  });

  test.for(['.', 'a..b', '*.example.com', '-', '_', '__proto__', 'constructor', 'a'.repeat(255), 'xn--', 'A.B.C.'])(
    'for the server name %s it is served as for any other',
    async (servername) => {
      const socket = connectTls({ port: stage.httpsPort, host: '127.0.0.1', servername, rejectUnauthorized: false });
      expect(await received(socket, get('/', 'Connection: close'))).toMatch(/^HTTP\/1\.1 200 /);
      await stage.seen();
    },
  );

  test('what is no TLS and no HTTP is cut, and others are served', async () => {
    for (const bytes of ['\x16\x03\x01\xff\xff', '\0'.repeat(100), 'SSH-2.0-x\r\n']) {
      const socket = connect(stage.httpsPort, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume().end(bytes, 'latin1');
      await once(socket, 'close', { signal: AbortSignal.timeout(60_000) });
    }
    const socket = connectTls({ port: stage.httpsPort, host: '127.0.0.1', rejectUnauthorized: false });
    expect(await received(socket, get('/', 'Connection: close'))).toMatch(/^HTTP\/1\.1 200 /);
    await stage.seen();
  });
});

describe('too slow', () => {
  let impatient: typeof stage;

  beforeAll(async () => {
    impatient = await startRawStage(['--client-header-timeout-ms', '300', '--client-request-timeout-ms', '400']);
  });

  afterAll(async () => {
    await impatient.stop();
  });

  test.for([
    ['a head', get('/').slice(0, -4), ''],
    ['a body with a length', post('ab', 'Content-Length: 3'), 'POST / '],
    ['a chunked body', post('2\r\nab\r\n', 'Transfer-Encoding: chunked'), 'POST / '],
    ['a body that nobody wants', `${head('POST /guarded HTTP/1.1', 'Host: a', 'Content-Length: 3')}ab`, ''],
  ] as const)('%s', async ([what, bytes, start]) => {
    const text = await received(connect(impatient.port, '127.0.0.1'), bytes);
    expect(text).toMatch(
      what === 'a body that nobody wants' ? /^HTTP\/1\.1 401 / : /^HTTP\/1\.1 408 Request Timeout\r\n/,
    );
    if (start !== '' || what === 'a head') expect(text).toMatch(/\r\n\r\nRequest timeout\nrequest_id: [0-9a-f]{32}\n$/);
    expect(text).toMatch(own);
    const seen = await impatient.seen();
    // An upstream may have met the start of it, and never its end.
    expect([seen.startsWith(start), seen.includes('\r\n0\r\n\r\n'), seen.endsWith('abc')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

test('a key that is taken away is refused with the next request on the same connection', async () => {
  const kept = await startRawStage();
  onTestFinished(async () => kept.stop());
  const socket = connect(kept.port, '127.0.0.1');
  const asked = get('/guarded', 'apikey: bobs-key');
  const all = received(socket, asked);
  await once(socket, 'data');
  await kept.revoke();
  socket.write(asked + get('/', 'Connection: close'));
  expect([...(await all).matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)).toEqual(['200', '401', '200']);
});

test('behind a request whose answer is still to come, a fault waits for its turn', async () => {
  const upstream = await startUpstream();
  const gateway = await oneUpstream(upstream.port);
  onTestFinished(async () => {
    await gateway.stop();
    await upstream.close();
  });
  let answer: (() => void) | undefined;
  upstream.server.removeAllListeners('request');
  upstream.server.on('request', (_, response) => {
    answer = () => response.end('late');
  });
  const asked = once(upstream.server, 'request');
  const socket = connect(gateway.port, '127.0.0.1');
  const all = received(socket, get('/slow'));
  await asked;
  socket.write('broken\r\n\r\n' + get('/after'));
  // The gateway has read the broken one once it answers somebody who came later.
  const other = connect(gateway.port, '127.0.0.1');
  await received(other, 'x\r\n\r\n');
  answer?.();
  expect([...(await all).matchAll(/HTTP\/1\.1 \d{3}|late/g)].map(String)).toEqual([
    'HTTP/1.1 200',
    'late',
    'HTTP/1.1 400',
  ]);
});
