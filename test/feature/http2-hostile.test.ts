/**
 * Frames and requests that no client should send, by hand: the stream or the connection ends as RFC 9113 says, another
 * connection is served all the while, and no upstream gets anything of it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askHttp2, openHttp2 } from '../support/http2-client.ts';
import { flags, frame, openFrames, requestHead } from '../support/http2-frames.ts';
import { exchangeRaw, startRawStage } from '../support/raw-stage.ts';
import { frameRows } from './http2-frames/frames.ts';
import { inFrames, many, messageRows } from './http2-frames/messages.ts';

let stage: Awaited<ReturnType<typeof startRawStage>>;
beforeAll(async () => {
  stage = await startRawStage();
});
afterAll(async () => stage.stop());

test.for([...frameRows, ...messageRows])('$what', async ({ frames, told, seen = /^$/ }) => {
  const client = openFrames(stage.port);
  await client.send(...frames);
  for (const what of told) await client.untilTold(what);
  client.socket.destroy();
  expect((await askHttp2(openHttp2(`http://127.0.0.1:${stage.port}`), { ':path': '/probe' })).status).toBe(200);
  expect(await stage.seen()).toMatch(seen);
});

test('an upgrade to h2c is answered over HTTP/1.1 (RFC 9113 section 3.1)', async () => {
  const request = [
    'GET / HTTP/1.1',
    'Host: a',
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
  ];
  const answer = await exchangeRaw(stage.port, [`${request.join('\r\n')}\r\n\r\n`], '200 close');
  expect(answer.summary).toBe('200 close');
  const seen = await stage.seen();
  expect(seen).toMatch(/^GET \/ HTTP\/1\.1\r\n/);
  expect(seen).not.toMatch(/h2c|http2-settings/i);
});

test('a client that acknowledges our SETTINGS learns what a head may be', async () => {
  const client = openFrames(stage.port);
  await client.send(
    frame('SETTINGS', { flag: flags.ACK }),
    ...inFrames([...requestHead(), ...many(9, 'a'.repeat(8_000))]),
  );
  await client.untilTold('1: ENHANCE_YOUR_CALM');
  expect(await stage.seen()).toBe('');
});
