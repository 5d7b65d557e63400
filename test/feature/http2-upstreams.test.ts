/** Connections of HTTP/2 to upstreams: what they agree to, how many there are, and which are used again. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { frameUpstream, head, lastData, type FrameAct, type FrameScript } from '../support/frame-upstream.ts';
import { fieldBlock, flags, frame, requestHead, word } from '../support/http2-frames.ts';
import { oneService } from '../support/one-service.ts';
import { emptyPipeline, objectsOf } from '../support/silent-pipeline.ts';

let gateway: Awaited<ReturnType<typeof emptyPipeline>>;

beforeAll(async () => {
  gateway = await emptyPipeline();
});

afterAll(async () => {
  await gateway.pipeline.stop(0);
});

/** The gateway in front of an upstream that does what it is told. */
async function inFrontOf(script: FrameScript) {
  const upstream = await frameUpstream(script);
  gateway.source.set(objectsOf(oneService(upstream.port, { protocol: 'grpc' })));
  await gateway.pipeline.settled();
  return upstream;
}

/** Status and body. */
async function ask(): Promise<string> {
  const request = httpRequest({ port: gateway.pipeline.port, agent: false }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return `${response.statusCode} ${await text(response)}`.trim();
}

const push: FrameAct = ({ send }, stream) =>
  send(
    frame('PUSH_PROMISE', { flag: flags.END_HEADERS, stream }, Buffer.concat([word(2), fieldBlock(requestHead())])),
    head(2),
    lastData(2, 'pushed'),
    head(stream),
    lastData(stream),
  );

test('nothing may be pushed, and who pushes loses the connection alone', async () => {
  const upstream = await inFrontOf({ onRequest: [push] });
  expect(await ask()).toBe('200 ok');
  const [first] = upstream.connections;
  const settings = first?.seen.find(({ type }) => type === 'SETTINGS')?.payload;
  expect(settings?.includes(Buffer.from([0, 2, 0, 0, 0, 0]))).toBe(true);
  await upstream.until('the first is closed', () => first?.socket.destroyed === true);
  expect(upstream.connections.map(({ socket }) => socket.destroyed)).toEqual([true, false]);
});
