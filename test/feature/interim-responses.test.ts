/** Interim responses of an upstream (RFC 9110 section 15.2): who may get one gets it, in its place. */
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http2';
import { expect, onTestFinished, test } from 'vitest';
import { openHttp2 } from '../support/http2-client.ts';
import { http2Upstream } from '../support/http2-upstream.ts';
import { exchangeRaw } from '../support/raw-stage.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';
import { silentPipeline } from '../support/silent-pipeline.ts';

const final = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nKeep-Alive: timeout=5\r\nX-A: b\r\n\r\n';
const passedOn = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-A: b\r\n\r\n';
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

async function gatewayTo(answer: string, service: Parameters<typeof silentPipeline>[1] = {}) {
  const upstream = await scriptedUpstream({ onRequest: [answer] });
  const pipeline = await silentPipeline(upstream.port, service);
  onTestFinished(async () => pipeline.stop(0));
  return { port: pipeline.port, upstream };
}

/** What a client over HTTP/2 gets before the head of its answer. */
async function interimsOver2(port: number): Promise<{ interims: IncomingHttpHeaders[]; status: unknown }> {
  const stream = openHttp2(`http://127.0.0.1:${port}`).request({ ':path': '/' });
  const interims: IncomingHttpHeaders[] = [];
  stream.on('headers', (headers) => interims.push(headers));
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  return { interims, status: head[':status'] };
}

test('a client of HTTP/1.1 gets early hints, and then its answer on a connection that is kept', async () => {
  const { port, upstream } = await gatewayTo(`${hints}HTTP/1.1 102 Processing\r\n\r\n${final}`);
  const { text } = await exchangeRaw(port, [get], '103 102 200');
  expect(text.startsWith(`${passedOn}HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n`)).toBe(true);
  expect(upstream.connections).toHaveLength(1);
});

test('a client of HTTP/2 gets them', async () => {
  const { port } = await gatewayTo(hints + final);
  const { interims, status } = await interimsOver2(port);
  expect(interims).toMatchObject([{ ':status': 103, link: '</a.css>; rel=preload', 'x-a': 'b' }]);
  expect(interims[0]).not.toHaveProperty('keep-alive');
  expect(status).toBe(200);
});

test('they come before an answer that is read whole first', async () => {
  const { port } = await gatewayTo(hints + final, { route: { 'konghq.com/response-buffering': 'true' } });
  expect((await exchangeRaw(port, [get], '103 200')).text.startsWith(passedOn)).toBe(true);
});

test('a client of HTTP/1.0 gets none', async () => {
  const { port } = await gatewayTo(hints + final);
  const { summary } = await exchangeRaw(port, ['GET / HTTP/1.0\r\n\r\n'], '200 close');
  expect(summary).toBe('200 close');
});

test('nobody is told to go on by an upstream: that is said once the body is wanted, and once', async () => {
  const { port } = await gatewayTo(`HTTP/1.1 100 Continue\r\n\r\n${final}`);
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n';
  expect((await exchangeRaw(port, [`${post}Expect: 100-continue\r\n\r\nhi`], '100 200')).summary).toBe('100 200');
  const { port: other } = await gatewayTo(`HTTP/1.1 100 Continue\r\n\r\n${final}`);
  expect((await exchangeRaw(other, [`${post}\r\nhi`], '200')).summary).toBe('200');
});

test('they end somewhere: after 32 of them the answer is 502', async () => {
  const { port } = await gatewayTo('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(33) + final);
  const { summary } = await exchangeRaw(port, [get], `${'103 '.repeat(32)}502`);
  expect(summary).toBe(`${'103 '.repeat(32)}502`);
});

test.for(['Content-Length: 2', 'Transfer-Encoding: chunked', 'Connection: close', 'X-A: \x01'])(
  'one that says %j is no interim response',
  async (line) => {
    const { port } = await gatewayTo(`HTTP/1.1 103 Early Hints\r\n${line}\r\n\r\n${final}`);
    expect((await exchangeRaw(port, [get], '502')).summary).toBe('502');
  },
);

test.for([
  [2, 200],
  [40, 502],
] as const)('%d of an endpoint of HTTP/2 end in %d', async ([count, expected]) => {
  const upstreamPort = await http2Upstream((stream) => {
    stream.on('error', () => undefined);
    for (let i = 0; i < count; i += 1) stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' });
    stream.respond({ ':status': 200 });
    stream.end('ok');
  });
  const pipeline = await silentPipeline(upstreamPort, { protocol: 'grpc' });
  onTestFinished(async () => pipeline.stop(0));
  const { interims, status } = await interimsOver2(pipeline.port);
  expect([interims.length, status]).toEqual([Math.min(count, 32), expected]);
});
