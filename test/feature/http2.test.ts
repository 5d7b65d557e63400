/** Clients that speak HTTP/2: over TLS by ALPN, without TLS by prior knowledge. */
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { constants, createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { connect, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { askHttp2, openHttp2 } from '../support/http2-client.ts';
import { startRawStage } from '../support/raw-stage.ts';
import { silentPipeline } from '../support/silent-pipeline.ts';

let stage: Awaited<ReturnType<typeof startRawStage>>;
beforeAll(async () => {
  stage = await startRawStage();
});
afterAll(async () => stage.stop());

const ports = ['https', 'http'] as const;
const urlOf = (scheme: (typeof ports)[number]): string =>
  scheme === 'https' ? `https://127.0.0.1:${stage.httpsPort}` : `http://127.0.0.1:${stage.port}`;

describe.for(ports)('over %s', (scheme) => {
  test('a key lets in, and the upstream learns how the request came', async () => {
    const session = openHttp2(urlOf(scheme));
    const { status, body, headers } = await askHttp2(session, {
      ':path': '/guarded/a?b=c',
      ':authority': 'a.example.com',
      apikey: 'bobs-key',
      'x-consumer-username': 'eve',
    });
    expect([status, body, headers['via']]).toEqual([200, 'upstream', '1.1 latchkey/0.0.0-test']);
    const seen = await stage.seen();
    expect(seen).toMatch(/^GET \/guarded\/a\?b=c HTTP\/1\.1\r\n/);
    for (const line of [
      'Via: 2 latchkey/0.0.0-test',
      'X-Consumer-Username: bob',
      `X-Forwarded-Proto: ${scheme}`,
      'X-Forwarded-Host: a.example.com',
    ]) {
      expect(seen).toContain(`\r\n${line}\r\n`);
    }
    expect(seen).not.toMatch(/eve|:path|:authority/);
  });

  test('without a key it is 401 with a body', async () => {
    const answer = await askHttp2(openHttp2(urlOf(scheme)), { ':path': '/guarded' });
    expect([answer.status, answer.body]).toMatchObject([401, expect.stringContaining('No API key found in request')]);
    expect(await stage.seen()).toBe('');
  });

  test('a body of unknown length goes on in chunks', async () => {
    const answer = await askHttp2(openHttp2(urlOf(scheme)), { ':path': '/', ':method': 'POST' }, ['one', 'two']);
    expect(answer.status).toBe(200);
    const seen = await stage.seen();
    expect(seen).toMatch(/\r\ntransfer-encoding: chunked\r\n/i);
    expect(seen.replaceAll(/\r\n[0-9a-f]+\r\n/g, '')).toContain('onetwo');
  });

  test('a hundred streams of one connection get their own answers', async () => {
    const session = openHttp2(urlOf(scheme));
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => askHttp2(session, { ':path': `/${i}` })),
    );
    expect(answers.every(({ status, body }) => status === 200 && body === 'upstream')).toBe(true);
    await stage.seen();
  });

  test.for([
    ['an authority and another Host', { ':authority': 'a', host: 'b' }, 400],
    ['a backslash in the path', { ':path': '/a%5cb' }, 400],
    ['a NUL in the path', { ':path': '/a%00' }, 400],
    ['a fragment', { ':path': '/a#b' }, 400],
    ['TRACE', { ':method': 'TRACE' }, 405],
    ['an expectation that nobody meets', { expect: 'more' }, 417],
  ] as const)('%s is refused', async ([, headers, status]) => {
    const answer = await askHttp2(openHttp2(urlOf(scheme)), { ':path': '/', ...headers });
    expect(answer.status).toBe(status);
    expect(await stage.seen()).toBe('');
  });

  test('a path that is none resets the stream', async () => {
    await expect(askHttp2(openHttp2(urlOf(scheme)), { ':path': 'a' })).rejects.toThrow('PROTOCOL_ERROR');
    expect(await stage.seen()).toBe('');
  });

  test('no spelling of a path goes past the plugin of its route', async () => {
    const session = openHttp2(urlOf(scheme));
    for (const path of ['/x/../guarded', '/%67uarded', '//guarded', '/./guarded', '/x/%2e%2e/guarded']) {
      expect([path, (await askHttp2(session, { ':path': path })).status]).toEqual([path, 401]);
    }
    expect(await stage.seen()).toBe('');
  });
});

describe('how the plain port tells them apart', () => {
  test.for([['PUT', 'PUT /put HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n']])(
    '%s, byte by byte, is HTTP/1.1',
    async ([, text = '']) => {
      const socket = connect({ port: stage.port, host: '127.0.0.1', noDelay: true });
      let received = '';
      socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
      for (const byte of text) await new Promise<void>((resolve) => socket.write(byte, () => resolve()));
      await once(socket, 'close');
      expect(received).toMatch(/^HTTP\/1\.1 (?:200|400) /);
      await stage.seen();
    },
  );

  test('the preface may come in pieces', async () => {
    const socket = connect({ port: stage.port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    for (const byte of preface) await new Promise<void>((resolve) => socket.write(byte, () => resolve()));
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])); // SETTINGS without any
    const [frame] = (await once(socket, 'data')) as [Buffer];
    expect(frame[3]).toBe(4); // SETTINGS of the gateway
    socket.destroy();
  });
});

/** An upstream that a test answers by hand, and the gateway before it. */
async function startByHand() {
  const requests: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = [];
  const upstream = createServer((request, response) => {
    requests.push({ request, response });
    upstream.emit('seen');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const pipeline = await silentPipeline((upstream.address() as AddressInfo).port);
  onTestFinished(async () => {
    upstream.closeAllConnections();
    upstream.close();
    await pipeline.stop(0);
  });
  return { upstream, requests, pipeline };
}

describe('a stream and the request behind it', () => {
  test('a client that resets the stream cancels it', async () => {
    const { upstream, requests, pipeline } = await startByHand();
    const stream = openHttp2(`http://127.0.0.1:${pipeline.port}`).request({ ':path': '/' });
    stream.on('error', () => undefined);
    await once(upstream, 'seen');
    const gone = once(requests[0]?.response ?? upstream, 'close');
    stream.close(constants.NGHTTP2_CANCEL);
    await gone;
    expect(requests[0]?.response.writableFinished).toBe(false);
  });

  test('an upstream that dies amid its body resets the stream', async () => {
    const { upstream, requests, pipeline } = await startByHand();
    const asked = askHttp2(openHttp2(`http://127.0.0.1:${pipeline.port}`), { ':path': '/' });
    await once(upstream, 'seen');
    requests[0]?.response.writeHead(200, { 'Content-Length': '10' });
    requests[0]?.response.write('half', () => requests[0]?.response.destroy());
    await expect(asked).rejects.toThrow(/reset|closed|INTERNAL/i);
  });

  test('what is sent in pieces arrives in pieces', async () => {
    const { upstream, requests, pipeline } = await startByHand();
    const stream = openHttp2(`http://127.0.0.1:${pipeline.port}`).request({ ':path': '/' });
    await once(upstream, 'seen');
    requests[0]?.response.write('data: 1\n\n');
    expect(String((await once(stream, 'data'))[0])).toBe('data: 1\n\n');
    requests[0]?.response.end('data: 2\n\n');
    expect(String((await once(stream, 'data'))[0])).toBe('data: 2\n\n');
  });

  test('a stream that is open when the gateway drains comes to its end', async () => {
    const { upstream, requests, pipeline } = await startByHand();
    const session = openHttp2(`http://127.0.0.1:${pipeline.port}`);
    const asked = askHttp2(session, { ':path': '/' });
    await once(upstream, 'seen');
    const told = once(session, 'goaway');
    const stopped = pipeline.stop(10_000);
    await told;
    requests[0]?.response.end('in time');
    expect((await asked).body).toBe('in time');
    await stopped;
  });

  test('who resets streams without end is cut off, and nobody else', async () => {
    const { pipeline } = await startByHand();
    const [bad, good] = [0, 1].map(() => openHttp2(`http://127.0.0.1:${pipeline.port}`));
    if (bad === undefined || good === undefined) return;
    await Promise.all([bad, good].map(async (session) => once(session, 'connect')));
    const closed = new Promise<void>((resolve) => void bad.once('close', () => resolve()));
    const flood = (): void => {
      for (let i = 0; i < 50 && !bad.destroyed && !bad.closed; i += 1) {
        const stream = bad.request({ ':path': '/' });
        stream.on('error', () => undefined);
        stream.close(constants.NGHTTP2_CANCEL);
      }
      if (!bad.destroyed && !bad.closed) setImmediate(flood);
    };
    flood();
    await closed;
    expect((await askHttp2(good, { ':path': '/', ':method': 'TRACE' })).status).toBe(405);
  });
});

describe('fields that stand twice, or are called oddly', () => {
  /** An endpoint of HTTP/2 that repeats what may stand but once, and echoes the request's raw fields. */
  async function startOdd() {
    const lenient = { strictSingleValueFields: false };
    const upstream = createHttp2Server(lenient);
    upstream.on('stream', (stream: ServerHttp2Stream, _: unknown, __: number, raw: string[]) => {
      const etag = ['a', 'b'] as unknown as string; // Node's types know of one
      stream.respond({ ':status': 200, etag, 'x-raw': JSON.stringify(raw) }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ etag }));
      stream.end('upstream');
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const pipeline = await silentPipeline((upstream.address() as AddressInfo).port, { protocol: 'grpc' });
    onTestFinished(async () => {
      upstream.close();
      await pipeline.stop(0);
    });
    return pipeline;
  }

  test('an endpoint that repeats a field hurts nobody', async () => {
    const { port } = await startOdd();
    const other = openHttp2(`http://127.0.0.1:${port}`);
    expect((await askHttp2(other, { ':path': '/' })).status).toBe(200);
    const answer = await askHttp2(openHttp2(`http://127.0.0.1:${port}`), { ':path': '/' });
    expect([answer.status, answer.body]).toEqual([200, 'upstream']);
    expect((await askHttp2(other, { ':path': '/' })).status).toBe(200);
    expect(other.destroyed).toBe(false);
  });

  test('what a client of HTTP/1.1 repeats goes on, and a field may be called constructor', async () => {
    const { port } = await startOdd();
    const request = httpRequest({
      port,
      path: '/',
      headers: { referer: ['a', 'b'] as unknown as string, constructor: 'mine' },
    }).end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(200);
    const raw = JSON.parse(String(answer.headers['x-raw'])) as string[];
    const values = (name: string) => raw.filter((_, i) => i % 2 === 1 && raw[i - 1] === name);
    expect([values('referer'), values('constructor')]).toEqual([['a', 'b'], ['mine']]);
  });

  test('an upstream of HTTP/1.1 that repeats fields, or has those of a connection, is no fault of the stream', async () => {
    const { upstream, requests, pipeline } = await startByHand();
    const asked = askHttp2(openHttp2(`http://127.0.0.1:${pipeline.port}`), { ':path': '/' });
    await once(upstream, 'seen');
    const fields = ['ETag', 'a', 'ETag', 'b', 'TE', 'trailers', 'HTTP2-Settings', 'AA', 'constructor', 'mine'];
    requests[0]?.response.writeHead(200, fields);
    requests[0]?.response.end('fine');
    expect(await asked).toMatchObject({ status: 200, body: 'fine', headers: { constructor: 'mine' } });
  });
});
