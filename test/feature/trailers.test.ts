/** Fields behind a body, both ways: who takes them gets them, and none passes for a field of the head. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { askHttp2, openHttp2 } from '../support/http2-client.ts';
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
