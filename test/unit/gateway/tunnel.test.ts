/** A tunnel between real connections, whose inner ends the test can see. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Tunnel } from '#gateway/tunnel.ts';

/** Both ends of a connection. The one that connected may be ended by one side alone. */
async function connection(): Promise<{ readonly inner: Socket; readonly outer: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const { port } = server.address() as AddressInfo;
  const outer = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [inner] = await accepted;
  server.close();
  for (const end of [inner, outer]) end.on('error', () => undefined);
  onTestFinished(() => {
    inner.destroy();
    outer.destroy();
  });
  return { inner, outer };
}

async function startTunnel(readTimeoutMs = 60_000) {
  const [client, upstream] = [await connection(), await connection()];
  const moved = { up: 0, down: 0 };
  const tunnel = new Tunnel({
    client: client.inner,
    upstream: upstream.inner,
    readTimeoutMs,
    moved(ingressBytes, egressBytes) {
      moved.up += ingressBytes;
      moved.down += egressBytes;
    },
  });
  return { tunnel, client, upstream, moved };
}

/** All that comes until the other side ends or the connection is cut. */
async function allOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => void socket.once('end', resolve).once('close', resolve).resume());
  return Buffer.concat(chunks);
}

const ping = Buffer.from([0x89, 0]);
/** A text of one frame. */
const text = (content: string): Buffer => Buffer.from([0x81, content.length, ...Buffer.from(content)]);
const codeOf = (close: Buffer): number => close.readUInt16BE(2);

test.for(['client', 'upstream'] as const)('what is left for the %s outlives the other connection', async (slow) => {
  const stage = await startTunnel();
  const [from, to] = slow === 'client' ? [stage.upstream, stage.client] : [stage.client, stage.upstream];
  const piece = Buffer.alloc(16_384, 'x');
  to.outer.pause();
  // Until nobody but the gateway can hold it: what the kernel takes is out of its hands.
  while (to.inner.writableLength === 0) {
    const came = once(from.inner, 'data');
    from.outer.write(piece);
    await came;
  }
  const closed = new Promise<void>((resolve) => void from.inner.once('close', () => resolve()));
  from.outer.resetAndDestroy();
  await closed;
  expect(to.inner.writableLength).toBeGreaterThan(0);
  expect((await allOf(to.outer)).byteLength).toBe(stage.moved.up + stage.moved.down);
});

test('a Close stands between two messages, though they came in one piece, and ends what is said', async () => {
  const { tunnel, client, upstream, moved } = await startTunnel();
  const [half, rest] = [text('abcdef').subarray(0, 4), text('abcdef').subarray(4)];
  const received = allOf(client.outer);
  upstream.outer.write(half);
  await once(client.outer, 'data');
  tunnel.leave();
  upstream.outer.write(Buffer.concat([rest, text('too late'), ping]));
  const got = async (): Promise<Buffer> => {
    client.outer.end();
    return received;
  };
  await once(client.outer, 'data');
  upstream.outer.end();
  const all = await got();
  expect(all.subarray(0, 8)).toEqual(text('abcdef'));
  expect([all[8], codeOf(all.subarray(8)), all.byteLength]).toEqual([0x88, 1001, 8 + 2 + (all[9] ?? 0)]);
  expect(moved).toEqual({ up: 0, down: 8 });
});

test('an upstream that has said Close itself is not spoken for', async () => {
  const { tunnel, client, upstream } = await startTunnel();
  const close = Buffer.from([0x88, 2, 0x03, 0xe8]);
  const received = allOf(client.outer);
  upstream.outer.write(close);
  await once(client.outer, 'data');
  tunnel.leave();
  upstream.outer.end();
  expect(await received).toEqual(close);
});

test('closed at once, it passes on nothing more of the client, and the frame that is under way to it', async () => {
  const { tunnel, client, upstream } = await startTunnel();
  const [toClient, toUpstream] = [allOf(client.outer), allOf(upstream.outer)];
  upstream.outer.write(text('abcdef').subarray(0, 4));
  await once(client.outer, 'data');
  tunnel.close({ code: 1008, text: 'no' });
  client.outer.write(ping);
  upstream.outer.write(Buffer.concat([text('abcdef').subarray(4), text('too late')]));
  const down = await toClient;
  expect(down.subarray(0, 8)).toEqual(text('abcdef'));
  expect([codeOf(down.subarray(8)), down.byteLength]).toEqual([1008, 14]);
  const up = await toUpstream;
  expect([up[0], up.byteLength]).toEqual([0x88, 2 + 4 + 4]);
});

test('closed at once, it gives a frame that does not end a second, and puts nothing into it', async () => {
  const { tunnel, client, upstream } = await startTunnel();
  const [toClient, toUpstream] = [allOf(client.outer), allOf(upstream.outer)];
  upstream.outer.write(text('abcdef').subarray(0, 4));
  client.outer.write(ping.subarray(0, 1));
  await Promise.all([once(client.outer, 'data'), once(upstream.outer, 'data')]);
  tunnel.close({ code: 1008, text: 'no' });
  expect([await toClient, await toUpstream]).toEqual([text('abcdef').subarray(0, 4), ping.subarray(0, 1)]);
});

test('a client that takes nothing is cut after the read timeout', async () => {
  const { client, upstream } = await startTunnel(100);
  client.outer.pause();
  const closed = Promise.all([once(client.inner, 'close'), once(upstream.inner, 'close')]);
  upstream.outer.write(Buffer.alloc(16 * 1024 * 1024));
  upstream.outer.on('end', () => upstream.outer.end()).resume();
  await closed;
});

test('a client that goes on behind its Close is ended once', async () => {
  const { tunnel, client, upstream } = await startTunnel();
  tunnel.leave();
  const closed = Buffer.concat([Buffer.from([0x88, 0x80]), Buffer.alloc(4)]);
  const sendUp = async (frame: Buffer): Promise<void> => {
    client.outer.write(frame);
    await once(upstream.outer, 'data');
  };
  await sendUp(closed);
  const listeners = client.inner.listenerCount('close');
  for (let i = 0; i < 5; i += 1) await sendUp(ping);
  expect(client.inner.listenerCount('close')).toBeLessThanOrEqual(listeners + 1);
});
