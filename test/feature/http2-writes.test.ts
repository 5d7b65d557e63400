/** How answers over HTTP/2 leave: each write is a call of the system, and over TLS a record. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { headers, openFrames, requestHead } from '../support/http2-frames.ts';
import { startRawStage } from '../support/raw-stage.ts';

let stage: Awaited<ReturnType<typeof startRawStage>>;
beforeAll(async () => {
  stage = await startRawStage();
});
afterAll(async () => stage.stop());

test.for([
  ['an answer of an upstream', '/'],
  ['a refusal', '/guarded'],
] as const)('the head and the small body of %s leave as one', async ([, path]) => {
  const client = openFrames(stage.port);
  let pieces = 0;
  client.socket.on('data', () => (pieces += 1));
  await client.send(headers(1, requestHead(path)));
  const dataOf = (stream: number) => client.seen.find((one) => one.type === 'DATA' && one.stream === stream);
  await client.untilHeld('the first body', () => dataOf(1) !== undefined);
  pieces = 0;
  for (let stream = 3; stream <= 41; stream += 2) {
    await client.send(headers(stream, requestHead(path)));
    await client.untilHeld(`body ${stream}`, () => dataOf(stream) !== undefined);
  }
  expect(pieces).toBeLessThan(25); // of 20 answers
});
