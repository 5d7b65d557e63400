/** What WebSockets are told on SIGTERM, and what becomes of the messages that are under way then. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { bytesUntilEnd, startTunnelUpstream } from '../support/raw-tunnel.ts';
import { silentPipeline } from '../support/silent-pipeline.ts';

/** A WebSocket through a gateway, and its other end. */
async function startPair() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  onTestFinished(() => server.close());
  const pipeline = await silentPipeline((server.address() as AddressInfo).port);
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const client = new WebSocket(`ws://127.0.0.1:${pipeline.port}/`);
  onTestFinished(() => client.terminate());
  await once(client, 'open');
  const [upstream] = await connected;
  return { client, upstream, pipeline };
}

const closeOf = async (socket: WebSocket): Promise<number> => {
  const [code] = (await once(socket, 'close')) as [number, Buffer];
  return code;
};

test('both ends get a Close that says the gateway goes away, and the gateway waits for no deadline', async () => {
  const { client, upstream, pipeline } = await startPair();
  const closes = Promise.all([closeOf(client), closeOf(upstream)]);
  const started = performance.now();
  await pipeline.stop(20_000);
  expect(await closes).toEqual([1001, 1001]);
  expect(performance.now() - started).toBeLessThan(10_000);
});

test('a message that is under way arrives whole before the Close', async () => {
  const { client, upstream, pipeline } = await startPair();
  const messages: string[] = [];
  client.on('message', (data: Buffer) => messages.push(data.toString('utf8')));
  upstream.send('first ', { fin: false });
  upstream.send('second ', { fin: false });
  upstream.ping();
  await once(client, 'ping');
  const stopped = pipeline.stop(20_000);
  // The gateway is draining once it takes no connection any more.
  const closes = Promise.all([closeOf(client), closeOf(upstream)]);
  await refused(pipeline.port);
  upstream.send('third');
  expect(await closes).toEqual([1001, 1001]);
  expect(messages).toEqual(['first second third']);
  await stopped;
});

/** Resolves once nobody listens on a port. */
async function refused(port: number): Promise<void> {
  for (;;) {
    const answered = await fetch(`http://127.0.0.1:${port}/none`).then(
      () => true,
      (error: Error) => !String(error.cause).includes('ECONNREFUSED'),
    );
    if (!answered) return;
  }
}

test('what the client says until it answers the Close still reaches the upstream', async () => {
  const upstream = await startTunnelUpstream();
  const pipeline = await silentPipeline(upstream.port);
  const { client, upstream: end } = await upstream.open(pipeline.port);
  let got = '';
  end.on('data', (chunk: Buffer) => (got += chunk.toString('latin1')));
  const stopped = pipeline.stop(20_000);
  const [close] = (await once(client, 'data')) as [Buffer];
  expect([close[0], close.readUInt16BE(2)]).toEqual([0x88, 1001]);
  // A text of one character, then the answer; masked by nothing, so that it can be read here.
  client.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]));
  client.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]));
  client.end();
  await once(end, 'end');
  end.end();
  expect(got).toBe('\x81\x81\0\0\0\0a\x88\x82\0\0\0\0\x03\xe9');
  await stopped;
});

test('a client that does not answer is cut at the deadline, and its upstream gets the Close from the gateway', async () => {
  const upstream = await startTunnelUpstream();
  const pipeline = await silentPipeline(upstream.port);
  const { client, upstream: end } = await upstream.open(pipeline.port);
  let got = Buffer.alloc(0);
  end.on('data', (chunk: Buffer) => (got = Buffer.concat([got, chunk])));
  const ended = once(end, 'end');
  const stopped = pipeline.stop(300);
  await Promise.all([bytesUntilEnd(client), ended, stopped]);
  const mask = got.subarray(2, 6);
  const code = [0, 1].map((i) => (got[6 + i] ?? 0) ^ (mask[i] ?? 0));
  expect([got[0], (got[1] ?? 0) & 0x80, code]).toEqual([0x88, 0x80, [0x03, 0xe9]]);
});

test('a frame that never ends is cut at the deadline without a Close in it', async () => {
  const upstream = await startTunnelUpstream();
  const pipeline = await silentPipeline(upstream.port);
  const { client, upstream: end } = await upstream.open(pipeline.port);
  // A frame of 1000 bytes of which 3 come.
  end.write(Buffer.from([0x82, 126, 3, 232, 1, 2, 3]));
  const bytes = bytesUntilEnd(client);
  await once(client, 'data');
  const [, count] = await Promise.all([pipeline.stop(300), bytes]);
  expect(count).toBe(7);
});
