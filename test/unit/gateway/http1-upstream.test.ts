/** The lean client on real sockets: kept connections, and upstreams that lie, die or fall silent. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { http1Upstream } from '#gateway/http1-upstream.ts';
import type { UpstreamFault } from '#gateway/upstream.ts';
import type { PoolSettings } from '#gateway/proxy-settings.ts';
import { proxySettings } from '../../support/proxy-settings.ts';
import { until } from '../../support/until.ts';

interface Heard {
  readonly status?: number;
  readonly body: string;
  readonly fault?: UpstreamFault;
}

/** An upstream that a test writes itself: told of every connection and every request's bytes. */
async function startRaw(onRequest: (socket: Socket, text: string) => void) {
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => onRequest(socket, chunk.toString('latin1')));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  return { target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port }, connections };
}

function client(pools: Partial<PoolSettings> = {}) {
  const upstream = http1Upstream({ ...proxySettings().pools, ...pools });
  onTestFinished(async () => upstream.close());
  const send = async (
    target: { host: string; port: number },
    more: { method?: string; body?: Buffer; readTimeoutMs?: number } = {},
  ) =>
    new Promise<Heard>((resolve) => {
      let status: number | undefined;
      const chunks: Buffer[] = [];
      const done = (fault?: UpstreamFault): void =>
        resolve({
          body: Buffer.concat(chunks).toString('latin1'),
          ...(status === undefined ? {} : { status }),
          ...(fault === undefined ? {} : { fault }),
        });
      upstream.send(
        target,
        {
          method: more.method ?? 'GET',
          path: '/',
          headers: ['Host', 'a', ...(more.body === undefined ? [] : ['Content-Length', String(more.body.byteLength)])],
          body: more.body ?? null,
          connectTimeoutMs: 1_000,
          writeTimeoutMs: 5_000,
          readTimeoutMs: more.readTimeoutMs ?? 5_000,
        },
        {
          onHead: (seen) => (status = seen),
          onData: (chunk) => {
            chunks.push(Buffer.from(chunk)); // they are ours during the call alone
            return true;
          },
          onHeadAlone: () => undefined,
          onInterim: () => undefined,
          onEnd: () => done(),
          onFault: (fault) => done(fault),
        },
      );
    });
  return { upstream, send };
}

const ok = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

test('interim answers are passed over, and without an end are a fault', async () => {
  const interims = (count: number) => 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(count);
  const { target: few } = await startRaw((socket) => socket.write(interims(32) + ok('hi')));
  expect(await client().send(few)).toEqual({ status: 200, body: 'hi' });
  const { target: many } = await startRaw((socket) => socket.write(interims(33) + ok('hi')));
  expect(await client().send(many)).toEqual({ body: '', fault: 'invalid' });
});

describe('kept connections', () => {
  test('one connection serves one request after the other', async () => {
    const { target, connections } = await startRaw((socket) => socket.write(ok('hi')));
    const { send } = client();
    for (let i = 0; i < 5; i += 1) expect(await send(target)).toEqual({ status: 200, body: 'hi' });
    expect(connections).toHaveLength(1);
  });

  test.for([
    ['that says close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi'],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
    ['with bytes behind it', `${ok('hi')}HTTP/1.1 200 OK\r\n\r\n`],
  ] as const)('one %s is not used again', async ([, bytes]) => {
    const { target, connections } = await startRaw((socket) => socket.write(bytes));
    const { send } = client();
    expect([await send(target), await send(target)]).toMatchObject([{ body: 'hi' }, { body: 'hi' }]);
    expect(connections).toHaveLength(2);
  });

  test('one has as many requests as it may have', async () => {
    const { target, connections } = await startRaw((socket) => socket.write(ok('hi')));
    const { send } = client({ maxRequests: 2 });
    for (let i = 0; i < 5; i += 1) expect(await send(target)).toEqual({ status: 200, body: 'hi' });
    expect(connections).toHaveLength(3);
  });

  test('under a steady load of more requests than the pool holds none is opened anew', async () => {
    const { target, connections } = await startRaw((socket) => socket.write(ok('hi')));
    const { upstream, send } = client({ size: 2 });
    for (let round = 0; round < 5; round += 1) await Promise.all(Array.from({ length: 8 }, async () => send(target)));
    expect([connections.length, upstream.stats()]).toEqual([8, { active: 0, idle: 8 }]);
  });

  test('once the load is gone no more are kept than may be', async () => {
    const { target, connections } = await startRaw((socket) => socket.write(ok('hi')));
    const { upstream, send } = client({ size: 2 });
    await Promise.all(Array.from({ length: 5 }, async () => send(target)));
    const left = (): number => connections.filter(({ destroyed }) => !destroyed).length;
    await until({
      what: 'two connections are left',
      holds: () => left() <= 2,
      deadlineMs: 30_000, // half of the time after which idle ones close anyway
      subscribe: (check) => {
        for (const socket of connections) socket.on('close', check);
        return () => undefined;
      },
    });
    expect([left(), upstream.stats()]).toEqual([2, { active: 0, idle: 2 }]);
  });

  test('a pool of no connections keeps none', async () => {
    const { target, connections } = await startRaw((socket) => socket.write(ok('hi')));
    const { upstream, send } = client({ size: 0 });
    expect([await send(target), await send(target)]).toMatchObject([{ body: 'hi' }, { body: 'hi' }]);
    expect([connections.length, upstream.stats()]).toEqual([2, { active: 0, idle: 0 }]);
  });

  test('one that nobody uses is closed after its time', async () => {
    const { target, connections } = await startRaw((socket) => socket.write(ok('hi')));
    const { upstream, send } = client({ idleTimeoutMs: 50 });
    await send(target);
    const [first] = connections;
    if (first !== undefined) await once(first, 'close');
    expect(upstream.stats()).toEqual({ active: 0, idle: 0 });
  });

  const keeping = (value: string): string =>
    `HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: ${value}\r\nContent-Length: 2\r\n\r\nhi`;

  test.for([
    ['timeout=1', 2],
    ['timeout=0, max=5', 2],
    ['timeout=2', 1],
    ['max=5, timeout=2', 1],
    ['timeout=x', 1],
    ['timeout=99999999', 1],
  ] as const)('of one whose upstream says %j the last second is not used', async ([value, expected]) => {
    const { target, connections } = await startRaw((socket) => socket.write(keeping(value)));
    const { send } = client();
    expect([await send(target), await send(target)]).toMatchObject([{ status: 200 }, { status: 200 }]);
    expect(connections).toHaveLength(expected);
  });

  test('one is closed before its upstream would', async () => {
    const { target, connections } = await startRaw((socket) => socket.write(keeping('timeout=2')));
    const { upstream, send } = client();
    const startedMs = performance.now();
    await send(target);
    const [first] = connections;
    if (first !== undefined) await once(first, 'close');
    expect(performance.now() - startedMs).toBeGreaterThan(900);
    expect(upstream.stats()).toEqual({ active: 0, idle: 0 });
  });

  test('bytes that nobody asked for end an idle connection: they answer no later request', async () => {
    const { target, connections } = await startRaw((socket) => socket.write(ok('hi')));
    const { send } = client();
    await send(target);
    const [first] = connections;
    first?.write(ok('poison'));
    if (first !== undefined) await once(first, 'close');
    expect(await send(target)).toEqual({ status: 200, body: 'hi' });
    expect(connections).toHaveLength(2);
  });

  test('a target that is retired loses its connections', async () => {
    const { target, connections } = await startRaw((socket) => socket.write(ok('hi')));
    const { upstream, send } = client();
    await send(target);
    const closed = connections[0] === undefined ? undefined : once(connections[0], 'close');
    upstream.retain([]);
    await closed;
    expect(connections[0]?.destroyed).toBe(true);
  });
});

test('responses that come in pieces, and by turns, do not mix', async () => {
  const waiting: Socket[] = [];
  const { target } = await startRaw((socket) => void waiting.push(socket));
  const { send } = client();
  const answers = ['a', 'b', 'c'].map(async () => send(target));
  const isSent = setInterval(() => {
    if (waiting.length < answers.length) return;
    clearInterval(isSent);
    const texts = waiting.map((_, i) => ok(String(i).repeat(300)));
    // A piece reaches the client before the next is sent: each is read alone.
    const sendFrom = (start: number): void => {
      for (const [i, socket] of waiting.entries()) socket.write(texts[i]?.slice(start, start + 100) ?? '');
      if (start < 400) setImmediate(() => setImmediate(() => sendFrom(start + 100)));
    };
    sendFrom(0);
  }, 1);
  const bodies = (await Promise.all(answers)).map(({ body }) => body);
  expect(bodies.toSorted()).toEqual(['0', '1', '2'].map((digit) => digit.repeat(300)));
});

describe('upstreams that fail', () => {
  test('nobody listens: nothing was sent', async () => {
    const { target, connections } = await startRaw(() => undefined);
    expect(connections).toEqual([]);
    expect(await client().send({ ...target, port: 1 })).toEqual({ body: '', fault: 'connect' });
  });

  test('it closes without a byte: the request may be tried again', async () => {
    const { target } = await startRaw((socket) => socket.destroy());
    expect(await client().send(target)).toEqual({ body: '', fault: 'closed' });
  });

  test('it closes in the middle of the head', async () => {
    const { target } = await startRaw((socket) => socket.end('HTTP/1.1 200 OK\r\nX-'));
    expect(await client().send(target)).toEqual({ body: '', fault: 'invalid' });
  });

  test('it closes in the middle of the body', async () => {
    const { target } = await startRaw((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe'));
    expect(await client().send(target)).toEqual({ status: 200, body: 'he', fault: 'invalid' });
  });

  test('it is silent', async () => {
    const { target } = await startRaw(() => undefined);
    expect(await client().send(target, { readTimeoutMs: 100 })).toEqual({ body: '', fault: 'timeout' });
  });

  test('it speaks another protocol', async () => {
    const { target } = await startRaw((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n\r\n'));
    expect(await client().send(target)).toEqual({ body: '', fault: 'invalid' });
  });
});

describe('bodies', () => {
  test('a HEAD has none, whatever its headers say', async () => {
    const { target, connections } = await startRaw((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'),
    );
    const { send } = client();
    expect([await send(target, { method: 'HEAD' }), await send(target, { method: 'HEAD' })]).toEqual([
      { status: 200, body: '' },
      { status: 200, body: '' },
    ]);
    expect(connections).toHaveLength(1);
  });

  test('one at hand is sent behind the head', async () => {
    let seen = '';
    const { target } = await startRaw((socket, text) => {
      seen += text;
      if (seen.endsWith('hello')) socket.write(ok(''));
    });
    expect(await client().send(target, { method: 'POST', body: Buffer.from('hello') })).toEqual({
      status: 200,
      body: '',
    });
    expect(seen).toBe('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello');
  });
});
