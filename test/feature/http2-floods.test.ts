/**
 * Floods of frames that cost their sender nothing. Each ends with its connection, or is taken without harm: memory stays
 * bounded, another connection is served all the while, and the upstream hears next to nothing of it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askHttp2, openHttp2 } from '../support/http2-client.ts';
import { fieldBlock, flags, frame, headers, openFrames, requestHead, setting, word } from '../support/http2-frames.ts';
import { startRawStage } from '../support/raw-stage.ts';
import { data, get, post } from './http2-frames/frame-row.ts';

let stage: Awaited<ReturnType<typeof startRawStage>>;
beforeAll(async () => {
  stage = await startRawStage();
});
afterAll(async () => stage.stop());

interface Flood {
  readonly what: string;
  /** What opens it. */
  readonly first?: readonly Buffer[];
  /** One of so many batches. */
  readonly batch: (index: number) => Buffer;
  readonly batches: number;
  /** Whether it is taken, and the connection serves on; else the connection ends. */
  readonly isTaken?: true;
  /** Why its connection is counted as refused; by its frames when absent. */
  readonly reason?: 'http2-waste';
  /** Requests that an upstream may see of it. */
  readonly atMost?: number;
  /** Whether the client reads nothing meanwhile. */
  readonly isDeaf?: true;
}

/** The numbers of so many streams from a batch on, each to be made into frames. */
const streams = (index: number, make: (stream: number) => readonly Buffer[]): Buffer =>
  Buffer.concat(Array.from({ length: 100 }, (_, i) => make(2 * (100 * index + i) + 1)).flat());
const times = (bytes: Buffer, count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => bytes));
const reset = (stream: number): Buffer => frame('RST_STREAM', { stream }, word(8));
const openHead = frame('HEADERS', { stream: 1, flag: flags.END_STREAM }, fieldBlock(requestHead()));

/** A field that is kept in the table of fields (RFC 7541 section 6.2.1), and the byte that names it from then on. */
const kept = Buffer.concat([Buffer.from([0x40]), fieldBlock([['x', 'a'.repeat(4_000)]]).subarray(1)]);
const keptAgain = 0xbe;

/** A request of 6 KB that says 8 MB of fields. */
const packed = (stream: number): Buffer => {
  const block = Buffer.concat([fieldBlock(requestHead()), kept, Buffer.alloc(2_000, keptAgain)]);
  return frame('HEADERS', { stream, flag: flags.END_STREAM | flags.END_HEADERS }, block);
};

/** The same as trailers. */
const trailers = (stream: number): Buffer => {
  const block = Buffer.concat([kept, Buffer.alloc(2_000, keptAgain)]);
  return frame('HEADERS', { stream, flag: flags.END_STREAM | flags.END_HEADERS }, block);
};

const floods: readonly Flood[] = [
  {
    what: 'streams that are reset at once (CVE-2023-44487)',
    batch: (index) => streams(index, (stream) => [get([], stream), reset(stream)]),
    batches: 100,
    atMost: 400,
  },
  {
    what: 'streams that are reset amid their body',
    batch: (index) => streams(index, (stream) => [post([], stream), reset(stream)]),
    batches: 100,
    atMost: 400,
  },
  {
    what: 'streams that we are made to reset, by a window that is too large (CVE-2025-8671)',
    batch: (index) =>
      streams(index, (stream) => [get([], stream), frame('WINDOW_UPDATE', { stream }, word(2 ** 31 - 1))]),
    batches: 100,
    atMost: 100,
  },
  {
    what: 'streams that we are made to reset, by malformed requests',
    batch: (index) => streams(index, (stream) => [get([['connection', 'close']], stream)]),
    batches: 100,
  },
  {
    what: 'streams that we are made to reset, by a body that is too short',
    batch: (index) =>
      streams(index, (stream) => [post([['content-length', '2']], stream), data('a', flags.END_STREAM, stream)]),
    batches: 100,
    atMost: 400,
  },
  {
    what: 'streams beyond those that there may be',
    first: Array.from({ length: 100 }, (_, i) => post([], 2 * i + 1)),
    batch: (index) => streams(index + 1, (stream) => [get([], stream)]),
    batches: 100,
    atMost: 200,
  },
  {
    what: 'a head without end (CVE-2024-27316)',
    first: [openHead],
    batch: () => times(frame('CONTINUATION', { stream: 1 }, fieldBlock([['a', 'b'.repeat(1_000)]])), 100),
    batches: 1_000,
  },
  {
    what: 'a head without end, of nothing',
    first: [openHead],
    batch: () => times(frame('CONTINUATION', { stream: 1 }), 1_000),
    batches: 1_000,
  },
  {
    what: 'a field that is packed into a byte, again and again, before SETTINGS are acknowledged',
    reason: 'http2-waste',
    batch: (index) => streams(index, (stream) => [packed(stream)]),
    batches: 1_000,
  },
  {
    what: 'a field that is packed into a byte, again and again',
    reason: 'http2-waste',
    first: [frame('SETTINGS', { flag: flags.ACK })],
    batch: (index) => streams(index, (stream) => [packed(stream)]),
    batches: 1_000,
  },
  {
    what: 'a field that is packed into a byte, again and again, behind a body',
    reason: 'http2-waste',
    first: [frame('SETTINGS', { flag: flags.ACK })],
    batch: (index) => streams(index, (stream) => [post([], stream), trailers(stream)]),
    batches: 1_000,
    atMost: 1_000,
  },
  {
    what: 'fields without a name (CVE-2019-9516)',
    batch: (index) =>
      streams(index, (stream) => [
        get(
          Array.from({ length: 500 }, () => ['', ''] as const),
          stream,
        ),
      ]),
    batches: 20,
    atMost: 400,
  },
  { what: 'PING', batch: () => times(frame('PING', {}, Buffer.alloc(8)), 1_000), batches: 100 },
  {
    what: 'PING of a client that reads nothing (CVE-2019-9512)',
    batch: () => times(frame('PING', {}, Buffer.alloc(8)), 10_000),
    batches: 200,
    isDeaf: true,
  },
  { what: 'SETTINGS', batch: () => times(frame('SETTINGS', {}, setting(4, 65_535)), 1_000), batches: 100 },
  {
    what: 'SETTINGS of a client that reads nothing (CVE-2019-9515)',
    batch: () => times(frame('SETTINGS'), 10_000),
    batches: 400,
    isDeaf: true,
  },
  {
    what: 'SETTINGS of very many settings',
    batch: () => frame('SETTINGS', {}, times(setting(99, 1), 2_000)),
    batches: 10,
  },
  {
    what: 'DATA of nothing (CVE-2019-9518)',
    first: [post([], 1)],
    batch: () => times(data('', 0, 1), 1_000),
    batches: 100,
    atMost: 1,
  },
  {
    what: 'DATA of padding alone',
    first: [post([], 1)],
    batch: () => times(data(Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]), flags.PADDED, 1), 50),
    batches: 5,
    isTaken: true,
    atMost: 1,
  },
  {
    what: 'PRIORITY (CVE-2019-9513)',
    batch: (index) => streams(index, (stream) => [frame('PRIORITY', { stream }, Buffer.from([0, 0, 0, 0, 15]))]),
    batches: 1_000,
  },
  {
    what: 'WINDOW_UPDATE',
    batch: () => times(frame('WINDOW_UPDATE', {}, word(1)), 1_000),
    batches: 100,
    isTaken: true,
  },
  {
    what: 'frames of an unknown type',
    batch: () => times(frame(99, { stream: 1 }, 'x'), 1_000),
    batches: 100,
  },
  {
    what: 'requests of a client that reads nothing (CVE-2019-9517)',
    first: [frame('SETTINGS', {}, setting(4, 0))],
    batch: (index) => streams(index, (stream) => [get([], stream)]),
    batches: 50,
    isDeaf: true,
    atMost: 200,
  },
];

const mebibyte = 1024 * 1024;

test.for(floods)('$what', async (flood) => {
  const good = openHttp2(`http://127.0.0.1:${stage.port}`);
  const isServed = async (): Promise<void> => {
    expect((await askHttp2(good, { ':path': '/probe' })).status).toBe(200);
  };
  await isServed();
  await stage.seen(); // what came of the one before
  const before = process.memoryUsage.rss();
  const reason = flood.reason ?? 'http2-frames';
  const refusedBefore = (await stage.refused())[reason] ?? 0;
  const client = openFrames(stage.port);
  if (flood.isDeaf === true) client.socket.pause();
  await client.send(...(flood.first ?? []));
  for (let i = 0; i < flood.batches && !client.socket.destroyed; i += 1) {
    await client.send(flood.batch(i));
    if (i % 20 === 0) await isServed();
  }
  client.socket.resume();
  if (flood.isTaken === true) {
    await client.send(headers(1_000_001, requestHead('/probe')));
    await client.untilTold('1000001: 200');
  } else {
    await client.untilTold('closed');
  }
  client.socket.destroy();
  await isServed();
  const refused = async (): Promise<number> => (await stage.refused())[reason] ?? 0;
  await expect.poll(refused).toBe(refusedBefore + (flood.isTaken === true ? 0 : 1));
  // Some unpack to gigabytes; what nobody has collected yet is in it, of client and gateway both.
  expect(process.memoryUsage.rss() - before).toBeLessThan(192 * mebibyte);
  const seen = await stage.seen();
  expect([...seen.matchAll(/(?:GET|POST) \/ HTTP/g)].length).toBeLessThanOrEqual(flood.atMost ?? 0);
});
