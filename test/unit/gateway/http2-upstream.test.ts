/** The client of HTTP/2 by itself, on real sockets: who waits, and how long an endpoint may be silent. */
import { expect, onTestFinished, test } from 'vitest';
import type { Patience } from '#gateway/http2-connection.ts';
import { http2Upstream } from '#gateway/http2-upstream.ts';
import type { UpstreamClient, UpstreamFault } from '#gateway/upstream.ts';
import type { UpstreamTls } from '#table/service-entry.ts';
import {
  frameUpstream,
  head,
  lastData,
  serverPreface,
  type FrameAct,
  type FrameConnection,
} from '../../support/frame-upstream.ts';
import { frame, setting, word } from '../../support/http2-frames.ts';
import { proxySettings } from '../../support/proxy-settings.ts';
import { until } from '../../support/until.ts';

const never: Patience = { silentMs: 60_000, doubtMs: 60_000, deadMs: 60_000, closeMs: 60_000 };

interface Asked {
  readonly ends: Promise<number | UpstreamFault>;
  readonly exchange: { abort(): void };
}

/** A client, and how to ask by it. */
function clientOf(
  port: number,
  { patience = never, flags: more = [] }: { readonly patience?: Patience; readonly flags?: readonly string[] } = {},
) {
  const client = http2Upstream(proxySettings(more).pools, patience);
  onTestFinished(async () => client.close());
  return {
    client,
    ask(host = 'a', { tls, body = null }: { readonly tls?: UpstreamTls; readonly body?: Buffer | null } = {}): Asked {
      const { promise: ends, resolve } = Promise.withResolvers<number | UpstreamFault>();
      const [connectTimeoutMs, writeTimeoutMs, readTimeoutMs] = [5_000, 5_000, 5_000];
      const request = {
        method: 'GET',
        path: '/',
        headers: ['Host', host],
        body,
        tls,
        connectTimeoutMs,
        writeTimeoutMs,
        readTimeoutMs,
      };
      let answered = 0;
      const exchange = client.send({ host: '127.0.0.1', port }, request, {
        onInterim: () => undefined,
        onHead: (status) => (answered = status),
        onHeadAlone: () => undefined,
        onData: () => true,
        onEnd: () => resolve(answered),
        onFault: (fault) => resolve(fault),
      });
      return { ends, exchange };
    },
  };
}

const untilNoConnection = async (client: UpstreamClient): Promise<void> =>
  void (await until({
    what: 'no connection is left',
    holds: () => client.stats().idle + client.stats().active === 0,
    deadlineMs: 30_000, // half of what `never` is
    subscribe: (check) => {
      const timer = setInterval(check, 10);
      return () => clearInterval(timer);
    },
  }));

const begin: FrameAct = ({ send }, stream) => send(head(stream));
const one = ({ send }: FrameConnection): void => send(serverPreface(setting(3, 1)));
const end = ({ connection, stream }: { connection: FrameConnection; stream: number }): void =>
  connection.send(lastData(stream));

test('who gives up while it waits takes no place', async () => {
  const upstream = await frameUpstream({ onConnection: [one], onRequest: [begin] });
  const { ask } = clientOf(upstream.port, { flags: ['--upstream-keepalive-pool-size', '1'] });
  const first = ask();
  await upstream.until('the first is there', () => upstream.heads.length === 1);
  const [second, third] = [ask(), ask()];
  second.exchange.abort();
  upstream.heads.forEach(end);
  expect([await first.ends, await third.ends]).toEqual([200, 200]);
  expect(upstream.heads).toHaveLength(2);
});

test('a connection that was verified for one name serves no other', async () => {
  const upstream = await frameUpstream({}, 'h2');
  const { ask } = clientOf(upstream.port);
  const tls = { id: 'a', isVerified: false, depth: 1 };
  for (const host of ['a.example', 'b.example', 'a.example']) expect(await ask(host, { tls }).ends).toBe(200);
  expect(upstream.heads.map(({ connection }) => upstream.connections.indexOf(connection))).toEqual([0, 1, 0]);
});

test('of connections for many names no more are kept than the pool may have', async () => {
  const upstream = await frameUpstream({}, 'h2');
  const { ask } = clientOf(upstream.port, { flags: ['--upstream-keepalive-pool-size', '2'] });
  const tls = { id: 'a', isVerified: false, depth: 1 };
  for (const host of ['a.example', 'b.example', 'c.example']) expect(await ask(host, { tls }).ends).toBe(200);
  await upstream.until('one closes', () => upstream.connections.some(({ socket }) => socket.destroyed));
  expect(upstream.connections.map(({ socket }) => socket.destroyed)).toEqual([false, false, true]);
});

const deaf = (connection: FrameConnection): void => {
  connection.isAlive = false;
  connection.send(serverPreface());
};
const pingsOn = (connection: FrameConnection | undefined): number =>
  connection?.seen.filter(({ type }) => type === 'PING').length ?? 0;

test('an endpoint that answers no ping loses its connection, and what waits on it is told', async () => {
  const upstream = await frameUpstream({ onConnection: [deaf], onRequest: [() => undefined] });
  const { ask } = clientOf(upstream.port, { patience: { ...never, silentMs: 0, doubtMs: 10, deadMs: 100 } });
  expect(await ask().ends).toBe('closed');
  await upstream.until('it is closed', () => upstream.connections[0]?.socket.destroyed === true);
  expect(pingsOn(upstream.connections[0])).toBe(1);
});

test('its connection is gone then, however much was to be sent on it', async () => {
  const wide = (connection: FrameConnection): void => {
    connection.isAlive = false;
    connection.send(serverPreface(setting(4, 2 ** 31 - 1)), frame('WINDOW_UPDATE', {}, word(2 ** 30)));
  };
  const upstream = await frameUpstream({ onConnection: [wide], onHead: [({ socket }) => void socket.pause()] });
  const { ask, client } = clientOf(upstream.port, { patience: { ...never, silentMs: 0, deadMs: 100 } });
  expect(await ask('a', { body: Buffer.alloc(16 * 1024 * 1024) }).ends).toBe('closed');
  await untilNoConnection(client);
});

test('while it does not answer, what is new goes by another connection', async () => {
  const upstream = await frameUpstream({ onConnection: [deaf], onRequest: [begin] });
  const { ask } = clientOf(upstream.port, { patience: { ...never, silentMs: 0, doubtMs: 0 } });
  const first = ask();
  await upstream.until('it is asked', () => pingsOn(upstream.connections[0]) === 1);
  while (upstream.connections.length < 2) expect(await ask().ends).toBe(200);
  upstream.heads.slice(0, 1).forEach(end);
  expect(await first.ends).toBe(200);
});

test('an endpoint that is heard of is not asked', async () => {
  const upstream = await frameUpstream();
  const { ask } = clientOf(upstream.port);
  expect([await ask().ends, await ask().ends]).toEqual([200, 200]);
  expect(pingsOn(upstream.connections[0])).toBe(0);
});

test('one that answers pings keeps its connection', async () => {
  const upstream = await frameUpstream({ onRequest: [begin] });
  const { ask } = clientOf(upstream.port, { patience: { ...never, silentMs: 0 } });
  const first = ask();
  await upstream.until('it is asked', () => pingsOn(upstream.connections[0]) === 1);
  for (let i = 0; i < 20; i += 1) expect(await ask().ends).toBe(200);
  upstream.heads.slice(0, 1).forEach(end);
  expect(await first.ends).toBe(200);
  expect(upstream.connections[0]?.socket.destroyed).toBe(false);
  // It is asked again, so the answer to the first has counted.
  expect(pingsOn(upstream.connections[0])).toBeGreaterThan(1);
});

test('an endpoint that refuses is given the next on another connection, and no third', async () => {
  const refuse: FrameAct = ({ send }, stream) => send(frame('RST_STREAM', { stream }, Buffer.from([0, 0, 0, 7])));
  const upstream = await frameUpstream({ onRequest: [begin, refuse, refuse, refuse] });
  const { ask } = clientOf(upstream.port);
  const first = ask();
  await upstream.until('the first is there', () => upstream.heads.length === 1);
  for (let i = 0; i < 3; i += 1) expect(await ask().ends).toBe('refused');
  expect(await ask().ends).toBe(200);
  expect(upstream.connections).toHaveLength(2);
  upstream.heads.slice(0, 1).forEach(end);
  expect(await first.ends).toBe(200);
});

test('one that has refused is believed to take more once it answers', async () => {
  const refuse: FrameAct = ({ send }, stream) => send(frame('RST_STREAM', { stream }, word(7)));
  const upstream = await frameUpstream({ onRequest: [() => undefined, refuse] });
  const { ask } = clientOf(upstream.port);
  const first = ask();
  await upstream.until('the first is there', () => upstream.heads.length === 1);
  expect(await ask().ends).toBe('refused');
  expect(await ask().ends).toBe(200);
  upstream.connections[0]?.send(head(1), lastData(1));
  expect(await first.ends).toBe(200);
  expect(await ask().ends).toBe(200);
  expect(upstream.heads.map(({ connection }) => upstream.connections.indexOf(connection))).toEqual([0, 0, 1, 0]);
});

test('a connection that its endpoint does not close after the last word is cut', async () => {
  const keepOpen = (connection: FrameConnection): void => {
    connection.socket.allowHalfOpen = true;
    connection.send(serverPreface());
  };
  const upstream = await frameUpstream({ onConnection: [keepOpen] });
  const patience = { ...never, closeMs: 50 };
  const { ask, client } = clientOf(upstream.port, { patience, flags: ['--upstream-keepalive-pool-size', '0'] });
  expect(await ask().ends).toBe(200);
  await untilNoConnection(client);
  expect(upstream.connections[0]?.socket.destroyed).toBe(false);
});
