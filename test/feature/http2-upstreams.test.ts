/** Connections of HTTP/2 to upstreams: what they agree to, how many there are, and which are used again. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  frameUpstream,
  head,
  lastData,
  serverPreface,
  type FrameAct,
  type FrameConnection,
  type FrameScript,
} from '../support/frame-upstream.ts';
import { fieldBlock, flags, frame, requestHead, setting, word } from '../support/http2-frames.ts';
import { oneService } from '../support/one-service.ts';
import { emptyPipeline, objectsOf } from '../support/silent-pipeline.ts';

let gateway: Awaited<ReturnType<typeof emptyPipeline>>;

beforeAll(async () => {
  gateway = await emptyPipeline();
});

afterAll(async () => {
  await gateway.pipeline.stop(0);
});

interface Setting {
  readonly on?: typeof gateway;
  /** Of the Service. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The gateway in front of an upstream that does what it is told. */
async function inFrontOf(script: FrameScript, { on = gateway, annotations = {} }: Setting = {}) {
  const upstream = await frameUpstream(script);
  const annotate = async (changed: Setting['annotations']): Promise<void> => {
    on.source.set(objectsOf(oneService(upstream.port, { protocol: 'grpc', annotations: changed ?? {} })));
    await on.pipeline.settled();
  };
  await annotate(annotations);
  return { ...upstream, annotate };
}

/** A gateway of these flags that lasts for a test. */
async function gatewayWith(...stated: readonly string[]) {
  const own = await emptyPipeline(stated);
  onTestFinished(async () => own.pipeline.stop(0));
  return own;
}

/** Status and body. */
async function ask(on = gateway): Promise<string> {
  const request = httpRequest({ port: on.pipeline.port, agent: false }).end();
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

/** Begins an answer, and leaves the rest to a test. */
const begin: FrameAct = ({ send }, stream) => send(head(stream));

const streamsOn = (connection: FrameConnection | undefined): number =>
  connection?.seen.filter(({ type }) => type === 'HEADERS').length ?? 0;

const acksOn = (connection: FrameConnection | undefined): number =>
  connection?.seen.filter(({ type, flag }) => type === 'PING' && (flag & flags.ACK) !== 0).length ?? 0;

const opens =
  (...settings: readonly Buffer[]) =>
  ({ send }: FrameConnection): void =>
    send(serverPreface(...settings));

const maxStreams = (count: number): Buffer => setting(3, count);

test.for([1, 2])('an endpoint that takes %i streams at once gets as many connections as it takes', async (most) => {
  const upstream = await inFrontOf({
    onConnection: Array.from({ length: 20 }, () => opens(maxStreams(most))),
    otherwise: begin,
  });
  const asked = Array.from({ length: 10 }, async () => ask());
  await upstream.until('all are there', () => upstream.heads.length === 10);
  expect(upstream.connections.map(streamsOn)).toEqual(Array.from({ length: 10 / most }, () => most));
  for (const { connection, stream } of upstream.heads) connection.send(lastData(stream));
  expect(await Promise.all(asked)).toEqual(Array.from({ length: 10 }, () => '200 ok'));
});

test('but no more than the pool may have: others wait, and are served in their turn', async () => {
  const on = await gatewayWith('--upstream-keepalive-pool-size', '2');
  const upstream = await inFrontOf(
    { onConnection: Array.from({ length: 20 }, () => opens(maxStreams(1))), otherwise: begin },
    { on },
  );
  const asked = Array.from({ length: 6 }, async () => ask(on));
  for (const seen of [2, 3, 4, 5, 6, 6, 6].entries()) {
    const [served, heads] = seen;
    await upstream.until(`${heads} are there`, () => upstream.heads.length === heads);
    const next = upstream.heads[served];
    next?.connection.send(lastData(next.stream));
  }
  expect(await Promise.all(asked)).toEqual(Array.from({ length: 6 }, () => '200 ok'));
  expect(upstream.connections.map(streamsOn)).toEqual([3, 3]);
});

test('who waits for too long is told 504, and takes no place', async () => {
  const on = await gatewayWith('--upstream-keepalive-pool-size', '1');
  // The first has to connect in it too.
  const annotations = { 'konghq.com/connect-timeout': '2000', 'konghq.com/retries': '0' };
  const upstream = await inFrontOf({ onConnection: [opens(maxStreams(1))], onRequest: [begin] }, { on, annotations });
  const first = ask(on);
  await upstream.until('the first is there', () => upstream.heads.length === 1);
  expect(await ask(on)).toMatch(/^504 /);
  upstream.connections[0]?.send(lastData(1));
  expect(await first).toBe('200 ok');
  expect(await ask(on)).toBe('200 ok');
  expect(upstream.heads).toHaveLength(2);
});

test('an endpoint that takes more from now on gets more on the connection that is there', async () => {
  const on = await gatewayWith('--upstream-keepalive-pool-size', '1');
  const upstream = await inFrontOf({ onConnection: [opens(maxStreams(1))], otherwise: begin }, { on });
  const asked = [ask(on), ask(on)];
  await upstream.until('the first is there', () => upstream.heads.length === 1);
  upstream.connections[0]?.send(frame('SETTINGS', {}, maxStreams(2)));
  await upstream.until('the second is there', () => upstream.heads.length === 2);
  for (const { connection, stream } of upstream.heads) connection.send(lastData(stream));
  expect(await Promise.all(asked)).toEqual(['200 ok', '200 ok']);
  expect(upstream.connections).toHaveLength(1);
});

test('who waits when a connection takes no more goes by another at once', async () => {
  const on = await gatewayWith('--upstream-keepalive-pool-size', '1');
  const upstream = await inFrontOf({ onConnection: [opens(maxStreams(1))], onRequest: [begin] }, { on });
  const first = ask(on);
  await upstream.until('the first is there', () => upstream.heads.length === 1);
  const second = ask(on);
  // It is asked for its body once it waits, or is on its way to.
  const third = httpRequest({
    port: on.pipeline.port,
    method: 'POST',
    agent: false,
    headers: { expect: '100-continue' },
  });
  third.flushHeaders();
  await once(third, 'continue');
  upstream.connections[0]?.send(frame('GOAWAY', {}, Buffer.concat([word(1), word(0)])));
  expect(await second).toBe('200 ok');
  third.end();
  await once(third, 'response');
  upstream.connections[0]?.send(lastData(1));
  expect(await first).toBe('200 ok');
});

test('a connection that had so many requests takes no more, and closes once they have ended', async () => {
  const on = await gatewayWith('--upstream-keepalive-max-requests', '2');
  const upstream = await inFrontOf({ onRequest: [begin] }, { on });
  const first = ask(on);
  await upstream.until('the first is there', () => upstream.heads.length === 1);
  expect([await ask(on), await ask(on)]).toEqual(['200 ok', '200 ok']);
  expect(upstream.connections.map(streamsOn)).toEqual([2, 1]);
  expect(upstream.connections[0]?.socket.destroyed).toBe(false);
  upstream.connections[0]?.send(lastData(1));
  expect(await first).toBe('200 ok');
  await upstream.until('it closes', () => upstream.connections[0]?.socket.destroyed === true);
});

test('a connection without a request closes after its time, whatever pings come', async () => {
  const on = await gatewayWith('--upstream-keepalive-idle-timeout', '1');
  const upstream = await inFrontOf({}, { on });
  expect(await ask(on)).toBe('200 ok');
  const [connection] = upstream.connections;
  const pings = setInterval(() => connection?.send(frame('PING', {}, Buffer.alloc(8))), 100);
  await upstream.until('it closes', () => connection?.socket.destroyed === true);
  clearInterval(pings);
  expect(connection?.seen.some(({ type }) => type === 'GOAWAY')).toBe(true);
});

test('a pool of none keeps no connection', async () => {
  const on = await gatewayWith('--upstream-keepalive-pool-size', '0');
  const upstream = await inFrontOf({}, { on });
  expect(await ask(on)).toBe('200 ok');
  await upstream.until('it closes', () => upstream.connections[0]?.socket.destroyed === true);
});

test('a connection to an endpoint that goes is closed at once where nothing is under way', async () => {
  const upstream = await inFrontOf({});
  expect(await ask()).toBe('200 ok');
  await inFrontOf({});
  await upstream.until('it closes', () => upstream.connections[0]?.socket.destroyed === true);
});

test('what is under way to an endpoint that goes is finished, and its connection is closed', async () => {
  const upstream = await inFrontOf({ onRequest: [begin] });
  const first = ask();
  await upstream.until('the first is there', () => upstream.heads.length === 1);
  const other = await inFrontOf({});
  expect(await ask()).toBe('200 ok');
  expect(other.heads).toHaveLength(1);
  upstream.connections[0]?.send(lastData(1));
  expect(await first).toBe('200 ok');
  await upstream.until('it closes', () => upstream.connections[0]?.socket.destroyed === true);
});

const impatient = { 'konghq.com/read-timeout': '300', 'konghq.com/retries': '0' };

/** Asks an upstream that is silent, and has others wait for it as long as they may usually. */
async function askInVain(upstream: Awaited<ReturnType<typeof inFrontOf>>): Promise<void> {
  await upstream.annotate(impatient);
  expect(await ask()).toMatch(/^504 /);
  await upstream.annotate({});
}

test('after silence nothing new is sent on a connection until it answers a ping', async () => {
  const silent: FrameAct = (connection) => void (connection.isAlive = false);
  const upstream = await inFrontOf({ onRequest: [silent] });
  await askInVain(upstream);
  expect(await ask()).toBe('200 ok');
  expect(upstream.connections.map(streamsOn)).toEqual([1, 1]);
  const ping = upstream.connections[0]?.seen.find(({ type }) => type === 'PING');
  // What is asked behind the answer is answered once that has been read.
  upstream.connections[0]?.send(frame('PING', { flag: flags.ACK }, ping?.payload), frame('PING', {}, '12345678'));
  await upstream.until('it was read', () => acksOn(upstream.connections[0]) === 1);
  expect(await ask()).toBe('200 ok');
  expect(upstream.connections.map(streamsOn)).toEqual([2, 1]);
});

test('a connection whose endpoint has stopped reading is given up', async () => {
  const upstream = await inFrontOf({ onRequest: [({ socket }) => void socket.pause()] });
  await askInVain(upstream);
  expect(await ask()).toBe('200 ok');
  expect(upstream.connections.map(streamsOn)).toEqual([1, 1]);
});

test('a connection on which others hear of the endpoint is not doubted', async () => {
  const upstream = await inFrontOf({ onRequest: [begin, () => undefined] });
  const first = ask();
  await upstream.until('the first is there', () => upstream.heads.length === 1);
  const talk = setInterval(() => upstream.connections[0]?.send(frame('DATA', { stream: 1 }, '.')), 50);
  await askInVain(upstream);
  clearInterval(talk);
  expect(await ask()).toBe('200 ok');
  expect(upstream.connections[0]?.seen.some(({ type }) => type === 'PING')).toBe(false);
  upstream.connections[0]?.send(lastData(1));
  expect(await first).toMatch(/^200 \.+ok$/);
});

test('an answer may be 256 KiB ahead of its client, all of a connection 4 MiB of what was read', async () => {
  const upstream = await inFrontOf({});
  expect(await ask()).toBe('200 ok');
  const [seen = []] = upstream.connections.map((connection) => connection.seen);
  const find = (type: string) => seen.find((one) => one.type === type);
  expect(find('SETTINGS')?.payload.includes(setting(4, 262_144))).toBe(true);
  expect(find('WINDOW_UPDATE')).toMatchObject({ stream: 0, payload: word(4 * 1_048_576 - 65_535) });
});
