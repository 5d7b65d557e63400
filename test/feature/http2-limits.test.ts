/** What a client of HTTP/2 may take of time: the limits of HTTP/1.1, for each stream (docs/limits.md). */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askHttp2, openHttp2 } from '../support/http2-client.ts';
import { http2Upstream } from '../support/http2-upstream.ts';
import { flags, frame, headers, openFrames, requestHead, setting, word } from '../support/http2-frames.ts';
import { oneUpstream, startRawStage } from '../support/raw-stage.ts';
import { silentPipeline } from '../support/silent-pipeline.ts';

const quick = ['--client-request-timeout-ms', '300'];

async function stageWith(flagsOfGateway: readonly string[]) {
  const stage = await startRawStage(flagsOfGateway);
  onTestFinished(async () => stage.stop());
  return stage;
}

const post = (stream: number, path = '/', more: readonly [string, string][] = []): Buffer =>
  headers(stream, [...requestHead(path, { method: 'POST' }), ...more], 0);
const acknowledged = frame('SETTINGS', { flag: flags.ACK });
const data = (stream: number, bytes: string): Buffer => frame('DATA', { stream }, bytes);

describe('a body that does not come whole in time', () => {
  test.for([
    ['never begins', '/', []],
    ['begins and stops', '/', ['ab']],
    ['is for a plugin or the upstream alike', '/hidden', ['ab']],
  ] as const)('%s: 408, the stream ends, and the connection serves on', async ([, path, pieces]) => {
    const stage = await stageWith(quick);
    const client = openFrames(stage.port);
    await client.send(post(1, path, [['apikey', 'bobs-key']]), ...pieces.map((piece) => data(1, piece)));
    await client.untilTold('1: 408');
    await client.send(headers(3, requestHead('/3')));
    await client.untilTold('3: 200');
    expect(client.story()).toEqual(['1: 408', '3: 200']);
    const seen = await stage.seen();
    expect(seen).not.toContain('\r\n0\r\n\r\n'); // the upstream never got an end
  });

  test('trickles: 408', async () => {
    const stage = await stageWith(quick);
    const client = openFrames(stage.port);
    await client.send(post(1));
    const trickle = setInterval(() => void client.send(data(1, 'a')), 50);
    onTestFinished(() => clearInterval(trickle));
    await client.untilTold('1: 408');
  });

  test('of an answer that has begun resets the stream', async () => {
    const upstream = createServer((socket: Socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const gateway = await oneUpstream((upstream.address() as AddressInfo).port, quick);
    onTestFinished(async () => {
      await gateway.stop();
      upstream.close();
    });
    const client = openFrames(gateway.port);
    await client.send(post(1), data(1, 'ab'));
    await client.untilTold('1: INTERNAL_ERROR');
    expect(client.story()).toEqual(['1: 200', '1: INTERNAL_ERROR']);
  });

  test('but is reset by its client, with whatever code, has no end for the upstream', async () => {
    const stage = await stageWith([]);
    for (const code of [0, 8]) {
      const client = openFrames(stage.port);
      await client.send(post(1), data(1, 'ab'));
      await stage.untilPartial('ab');
      await client.send(frame('RST_STREAM', { stream: 1 }, word(code)), headers(3, requestHead('/3')));
      await client.untilTold('3: 200');
      const seen = await stage.seen();
      expect(seen).toContain('\r\n2\r\nab');
      expect(seen).not.toContain('\r\n0\r\n\r\n');
    }
  });

  test('and goes on behind its answer for seconds: the stream is closed', async () => {
    const stage = await stageWith([]);
    const client = openFrames(stage.port);
    await client.send(post(1, '/guarded'));
    await client.untilTold('1: 401');
    const trickle = setInterval(() => void client.send(data(1, 'a')), 50);
    onTestFinished(() => clearInterval(trickle));
    await client.untilTold('1: NO_ERROR');
    expect(client.story()).toEqual(['1: 401', '1: NO_ERROR']);
  });

  test('without a limit it is waited for', async () => {
    const stage = await stageWith(['--client-request-timeout-ms', '0', '--client-idle-timeout-ms', '100']);
    const client = openFrames(stage.port);
    await client.send(post(1));
    const other = openFrames(stage.port);
    await other.untilTold('GOAWAY NO_ERROR'); // it has been looked at
    await client.send(frame('DATA', { stream: 1, flag: flags.END_STREAM }, 'ab'));
    await client.untilTold('1: 200');
  });
});

describe('an answer that nobody takes', () => {
  /** An upstream with more to say than a stream's window holds. */
  async function startTalkative(bytes: number, flagsOfGateway: readonly string[]) {
    const upstream = createServer((socket: Socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
        socket.write(Buffer.alloc(bytes));
      });
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const gateway = await oneUpstream((upstream.address() as AddressInfo).port, flagsOfGateway);
    onTestFinished(async () => {
      await gateway.stop();
      upstream.close();
    });
    return { port: gateway.port, upstream, refused: gateway.refused };
  }

  test.for([
    ['that is whole already', 10],
    ['of which the rest waits at the upstream', 10_000_000],
  ] as const)('%s resets the stream, and others go on', async ([, bytes]) => {
    const { port, upstream, refused } = await startTalkative(bytes, quick);
    const client = openFrames(port, [setting(4, 0)]); // SETTINGS_INITIAL_WINDOW_SIZE
    const asked = once(upstream, 'connection') as Promise<[Socket]>;
    await client.send(headers(1, requestHead()));
    const [connection] = await asked;
    const cut = new Promise<void>((resolve) => connection.once('close', () => resolve()));
    await client.untilTold('1: CANCEL');
    if (bytes > 10) await cut; // nobody waits for the rest
    await expect.poll(refused).toEqual({ 'answer-timeout': 1 });
    expect((await askHttp2(openHttp2(`http://127.0.0.1:${port}`), { ':path': '/' })).status).toBe(200);
  });
});

describe('a connection without a stream', () => {
  test('is told to go and closed, pings or not', async () => {
    const stage = await stageWith(['--client-idle-timeout-ms', '300']);
    const client = openFrames(stage.port);
    await client.send(headers(1, requestHead()));
    await client.untilTold('1: 200');
    const pings = setInterval(() => void client.send(frame('PING', {}, Buffer.alloc(8))), 50);
    onTestFinished(() => clearInterval(pings));
    await client.untilTold('closed');
    expect(new Set(client.story())).toEqual(new Set(['1: 200', 'GOAWAY NO_ERROR', 'closed']));
    expect(await stage.refused()).toEqual({}); // nothing is wrong with it
  });

  test('is closed amid a head that never ends', async () => {
    const stage = await stageWith(['--client-idle-timeout-ms', '300']);
    const client = openFrames(stage.port);
    await client.send(frame('HEADERS', { stream: 1 }, '')); // no END_HEADERS
    await client.untilTold('closed');
    expect(client.story()).not.toContain('GOAWAY SETTINGS_TIMEOUT'); // which comes later
    expect(await stage.seen()).toBe('');
  });

  test('is none while an answer is waited for', async () => {
    const upstream = createServer((socket: Socket) => {
      socket.on('error', () => undefined);
      upstream.emit('asked', socket);
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const gateway = await oneUpstream((upstream.address() as AddressInfo).port, ['--client-idle-timeout-ms', '100']);
    onTestFinished(async () => {
      await gateway.stop();
      upstream.close();
    });
    const client = openFrames(gateway.port);
    const asked = once(upstream, 'asked') as Promise<[Socket]>;
    await client.send(headers(1, requestHead()));
    const [socket] = await asked;
    await openFrames(gateway.port).untilTold('closed'); // meanwhile another was closed for it
    socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    await client.untilTold('1: 204');
  });
});

describe('a call of gRPC', () => {
  const grpc: readonly [string, string][] = [['content-type', 'application/grpc']];

  async function startCalls(annotations: Readonly<Record<string, string>> = {}) {
    const upstreamPort = await http2Upstream((stream) => {
      stream.on('error', () => undefined);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.on('data', (chunk: Buffer) => stream.write(chunk));
      stream.on('end', () => stream.end());
    });
    const pipeline = await silentPipeline(upstreamPort, {
      protocol: 'grpc',
      annotations,
      flags: quick,
    });
    onTestFinished(async () => pipeline.stop(0));
    return pipeline;
  }

  test('may last while anything comes or goes', async () => {
    const { port } = await startCalls({ 'konghq.com/read-timeout': '2000' });
    const client = openFrames(port);
    await client.send(post(1, '/', grpc));
    const messages = setInterval(() => void client.send(data(1, 'a')), 50);
    onTestFinished(() => clearInterval(messages));
    const slow = openFrames(port);
    await slow.send(post(1)); // no call: it has its time for the whole
    const silent = openFrames(port);
    await silent.send(post(1, '/', grpc));
    await slow.untilTold('1: INTERNAL_ERROR');
    await silent.untilTold('1: INTERNAL_ERROR'); // by now the other has lasted as long
    expect(client.story()).toEqual(['1: 200']);
  });

  test('is cut once both sides are silent for longer than its route gives', async () => {
    const [impatient, patient] = await Promise.all(
      ['2000', '60000'].map(async (ms) => startCalls({ 'konghq.com/read-timeout': ms })),
    );
    const [brief, long] = [impatient, patient].map((pipeline) => openFrames(pipeline?.port ?? 0));
    await long?.send(post(1, '/', grpc), data(1, 'a'));
    await brief?.send(post(1, '/', grpc), data(1, 'a'));
    await brief?.untilTold('1: INTERNAL_ERROR');
    const other = openFrames(patient?.port ?? 0);
    await other.send(post(1));
    await other.untilTold('1: INTERNAL_ERROR');
    expect(long?.story()).toEqual(['1: 200']);
  });
});

test('a stream may send 256 KiB before any of it has gone on, and a connection 1 MiB', async () => {
  const stage = await stageWith([]);
  const client = openFrames(stage.port);
  const find = (type: string) => client.seen.find((one) => one.type === type);
  await client.untilHeld('its windows', () => find('SETTINGS') !== undefined && find('WINDOW_UPDATE') !== undefined);
  expect(find('SETTINGS')?.payload.includes(setting(4, 262_144))).toBe(true);
  expect(find('WINDOW_UPDATE')).toMatchObject({ stream: 0, payload: word(1_048_576 - 65_535) });
});

test('SETTINGS that a client does not acknowledge in the time for a head end its connection', async () => {
  const stage = await stageWith(['--client-header-timeout-ms', '300']);
  const good = openFrames(stage.port);
  await good.send(acknowledged);
  const client = openFrames(stage.port);
  await client.send(headers(1, requestHead()));
  await client.untilTold('closed');
  expect(client.story()).toEqual(['1: 200', 'GOAWAY SETTINGS_TIMEOUT', 'closed']);
  await expect.poll(stage.refused).toEqual({ 'http2-settings': 1 });
  await good.send(headers(1, requestHead()));
  await good.untilTold('1: 200');
});

describe('streams that come to nothing', () => {
  /** A head of more fields than are read: Node resets it before anybody sees it. */
  const vast = (stream: number): Buffer =>
    headers(stream, [...requestHead(), ...Array.from({ length: 1_100 }, (): [string, string] => ['a', ''])]);

  /** Resolves once connections have been looked at: one that wastes too much has ended. */
  async function untilLookedAt(port: number): Promise<void> {
    const other = openFrames(port);
    await other.send(acknowledged, headers(2_001, requestHead()));
    await other.untilTold('closed');
  }

  test('are as many as a client may reset itself, then its connection ends', async () => {
    const stage = await stageWith([]);
    const client = openFrames(stage.port);
    await client.send(acknowledged);
    for (let i = 0; i < 150; i += 1) await client.send(vast(2 * i + 1));
    await client.untilTold('299: ENHANCE_YOUR_CALM');
    await untilLookedAt(stage.port);
    await client.send(headers(301, requestHead()));
    await client.untilTold('301: 200');
    for (let i = 151; i < 500 && !client.socket.destroyed; i += 1) await client.send(vast(2 * i + 1));
    await client.untilTold('closed');
    expect(client.story()).toContain('GOAWAY ENHANCE_YOUR_CALM');
  });

  test('are also those whose numbers a client leaves out; what is open is served', async () => {
    const stage = await stageWith([]);
    const client = openFrames(stage.port);
    await client.send(acknowledged, post(1), headers(2_001, requestHead()));
    await client.untilTold('GOAWAY ENHANCE_YOUR_CALM');
    await client.send(frame('DATA', { stream: 1, flag: flags.END_STREAM }, 'ab'));
    await client.untilTold('closed');
    expect(client.story()).toEqual(expect.arrayContaining(['2001: 200', '1: 200']));
  });
});
