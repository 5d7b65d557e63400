/** Fields behind a body, both ways: who takes them gets them, and none passes for a field of the head. */
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askHttp2, openHttp2 } from '../support/http2-client.ts';
import { http2Upstream } from '../support/http2-upstream.ts';
import { exchangeRaw } from '../support/raw-stage.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';
import { silentPipeline } from '../support/silent-pipeline.ts';

/** A chunked answer with these lines behind its body. */
const answer = (trailers: string, head = ''): string =>
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${head}\r\n2\r\nhi\r\n0\r\n${trailers}\r\n`;

async function gatewayTo(...answers: readonly string[]) {
  const upstream = await scriptedUpstream({ onRequest: answers });
  const pipeline = await silentPipeline(upstream.port);
  onTestFinished(async () => pipeline.stop(0));
  return { port: pipeline.port, upstream };
}

const get = (fields = ''): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

/** What stands behind the last chunk of an answer's body. */
const behindBody = (text: string): string | undefined => /\r\n0\r\n([^]*?)\r\n(?:HTTP|$)/.exec(text)?.[1];

describe('of an answer', () => {
  test('a client of HTTP/1.1 gets them if it takes them, and is told before which', async () => {
    const { port } = await gatewayTo(answer('X-Sum: 1\r\nx-two: b\r\n', 'Trailer: X-Sum, Content-Length\r\n'));
    const { text } = await exchangeRaw(port, [get('TE: gzip;q=0, trailers\r\n')], '200');
    expect(behindBody(text)).toBe('X-Sum: 1\r\nx-two: b\r\n');
    expect(text).toMatch(/\r\nTrailer: X-Sum\r\n/);
  });

  test.for([
    ['one that does not ask', get()],
    ['one of HTTP/1.0', 'GET / HTTP/1.0\r\nTE: trailers\r\n\r\n'],
    ['one that wants the head alone', 'HEAD / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n'],
  ] as const)('%s gets none', async ([, request]) => {
    const { port, upstream } = await gatewayTo(answer('X-Sum: 1\r\n', 'Trailer: X-Sum\r\n'));
    const { text } = await exchangeRaw(port, [request], '200');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).not.toMatch(/x-sum/i);
    expect(upstream.requests[0]).toMatch(/ \/ HTTP\/1\.1\r\n/);
  });

  test('a client of HTTP/2 gets them', async () => {
    const { port } = await gatewayTo(answer('X-Sum: 1\r\nX-Two: b\r\n'));
    const { status, body, trailers } = await askHttp2(openHttp2(`http://127.0.0.1:${port}`), { ':path': '/' });
    expect([status, body]).toEqual([200, 'hi']);
    expect(trailers).toMatchObject({ 'x-sum': '1', 'x-two': 'b' });
  });

  test('none that would mean something in the head goes on', async () => {
    const names = ['Set-Cookie', 'Content-Type', 'Cache_Control', 'X-Kong-Request-Id', 'Access-Control-Allow-Origin'];
    const lines = [...names, 'X-Sum', 'Location', 'Via', 'X-Consumer-ID'].map((name) => `${name}: 1\r\n`).join('');
    const { port } = await gatewayTo(answer(lines), answer(lines));
    const { trailers } = await askHttp2(openHttp2(`http://127.0.0.1:${port}`), { ':path': '/' });
    expect(Object.keys(trailers)).toEqual(['x-sum']);
    const { text } = await exchangeRaw(port, [get('TE: trailers\r\n')], '200');
    expect(behindBody(text)).toBe('X-Sum: 1\r\n');
  });

  test.for([
    ['a length', 'Content-Length: 5\r\n'],
    ['a coding', 'Transfer-Encoding: chunked\r\n'],
    ['a control character', 'X-A: \x01\r\n'],
    ['too much', `X-A: ${'a'.repeat(17_000)}\r\n`],
  ] as const)('%s among them cuts the answer off', async ([, lines]) => {
    const { port } = await gatewayTo(answer(lines));
    const { text } = await exchangeRaw(port, [get('TE: trailers\r\n')], '200 close');
    expect(behindBody(text)).toBeUndefined();
  });

  test('what comes behind them belongs to nobody', async () => {
    const { port, upstream } = await gatewayTo(`${answer('X-Sum: 1\r\n')}HTTP/1.1 200 OK\r\n\r\nsmuggled`);
    const { text } = await exchangeRaw(port, [get('TE: trailers\r\n')], '200');
    expect(text).not.toContain('smuggled');
    expect(upstream.connections).toHaveLength(2);
  });
});

const chunked = (trailers: string, head = ''): string =>
  `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n${head}\r\n2\r\nhi\r\n0\r\n${trailers}\r\n`;

/** Fields that no client may send, in spellings that servers take for them. */
const forged = [
  'X-Consumer-ID',
  'x_consumer_username',
  'Content-Length',
  'X-Real.IP',
  'Host',
  'Authorization',
  'Cookie',
];
const forgedLines = ['X-Sum', ...forged].map((name) => `${name}: 1\r\n`).join('');

describe('of a request', () => {
  test.for([
    ['that is passed on as it comes', {}],
    ['that is read whole before', { route: { 'konghq.com/request-buffering': 'true' } }],
  ] as const)('%s, they follow its body, without what would mean something in the head', async ([, service]) => {
    const upstream = await scriptedUpstream();
    const pipeline = await silentPipeline(upstream.port, { ...service });
    onTestFinished(async () => pipeline.stop(0));
    await exchangeRaw(pipeline.port, [chunked(forgedLines.replace('Content-Length: 1\r\n', ''))], '200');
    expect(upstream.requests[0]).toMatch(/\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n$/);
    expect(upstream.requests[0]).toMatch(/\r\nTransfer-Encoding: chunked\r\n/);
    expect(upstream.requests[0]).not.toMatch(/content-length/i);
  });

  test('those over HTTP/2 follow a body without a length, and end behind one with it', async () => {
    const { port, upstream } = await gatewayTo();
    const session = openHttp2(`http://127.0.0.1:${port}`);
    for (const length of [undefined, '2']) {
      const head = { ':method': 'POST', ':path': '/', ...(length === undefined ? {} : { 'content-length': length }) };
      const stream = session.request(head, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1', 'x-consumer-id': 'forged' }));
      stream.resume().end('hi');
      await once(stream, 'end');
    }
    expect(upstream.requests[0]).toMatch(/\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 1\r\n\r\n$/);
    expect(upstream.requests[1]).toMatch(/\r\ncontent-length: 2\r\n[^]*\r\n\r\nhi$/);
  });

  test.for(['HTTP/1.1', 'HTTP/2'])('those over %s reach an endpoint of HTTP/2', async (version) => {
    const seen: unknown[] = [];
    const upstreamPort = await http2Upstream((stream) => {
      stream.on('trailers', (fields) => seen.push(Object.entries(fields)));
      stream.respond({ ':status': 200 });
      stream.resume().once('end', () => stream.end('ok'));
    });
    const pipeline = await silentPipeline(upstreamPort, { protocol: 'grpc' });
    onTestFinished(async () => pipeline.stop(0));
    const lines = forgedLines.replace('Content-Length: 1\r\n', '');
    if (version === 'HTTP/1.1') await exchangeRaw(pipeline.port, [chunked(lines)], '200');
    else {
      const stream = openHttp2(`http://127.0.0.1:${pipeline.port}`).request(
        { ':method': 'POST', ':path': '/' },
        { waitForTrailers: true },
      );
      stream.once('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1', 'x-consumer-id': 'forged' }));
      stream.resume().end('hi');
      await once(stream, 'end');
    }
    expect(seen).toEqual([[['x-sum', '1']]]);
  });

  test.for([
    ['a length', 'Content-Length: 1\r\n', '400 close'],
    ['a coding', 'Transfer-Encoding: chunked\r\n', '400 close'],
    ['a bare line feed', 'X-A: 1\nX-B: 2\r\n', '400 close'],
    ['a name with a space', 'X A: 1\r\n', '400 close'],
    ['more than a head may have', `X-A: ${'a'.repeat(70_000)}\r\n`, '431 close'],
    ['more fields than a head may have', 'X-A: 1\r\n'.repeat(600), '431'],
  ] as const)('%s among them is refused, and the upstream gets no end', async ([, lines, expected]) => {
    const { port, upstream } = await gatewayTo();
    const { summary, text } = await exchangeRaw(port, [chunked(lines)], expected);
    expect([summary, text]).toEqual([expected, text]);
    await exchangeRaw(port, [get('Connection: close\r\n')], '200 close');
    expect(upstream.requests.filter((request) => !request.startsWith('GET '))).toEqual([]);
  });

  test('what comes behind them is the next request, and only there', async () => {
    const { port, upstream } = await gatewayTo();
    await exchangeRaw(port, [`${chunked('X-A: GET /smuggled HTTP/1.1\r\n')}${get()}`], '200 200');
    expect(upstream.requests.map((request) => request.split('\r\n', 1)[0])).toEqual([
      'POST / HTTP/1.1',
      'GET / HTTP/1.1',
      'GET /probe HTTP/1.1',
    ]);
  });
});
