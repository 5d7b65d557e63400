/** Workers that die, hang or cannot listen, in the real pool: the others serve, and nobody waits for them. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { barePool } from '../support/bare-pool.ts';
import { send } from '../support/client.ts';
import { startLatchkey } from '../support/latchkey-process.ts';
import { askAmidBodies } from '../support/http2-bodies.ts';
import { oneService } from '../support/one-service.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { untilStatus } from '../support/until-status.ts';
import { startUpstream } from '../support/upstream.ts';

const entry = new URL('../support/worker-with-bugs.ts', import.meta.url);
const bugs = join(import.meta.dirname, '..', 'support', 'bugs-on-request.ts');
/** On a busy machine a thread may get no time for a second or two. */
const hangs = { entry, hangTimeoutMs: 3_000 };

/** Sends a request that gets no answer. */
function ask(port: number, path: string): void {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
}

/** Has the worker that takes this connection hang; resolves when it does. */
async function hang({ port, said, until }: Awaited<ReturnType<typeof barePool>>): Promise<void> {
  ask(port, '/hang');
  await until('it hangs', () => said.includes('hanging'));
}

test('a worker that dies is replaced and serves the whole table', async () => {
  const { pool, put, status, counts, threads, until } = await barePool();
  put('a');
  await pool.open();
  expect([await status('/a'), await status('/b')]).toEqual([503, 404]);
  await threads[0]?.terminate();
  await until('it is replaced', () => counts.restarts === 1);
  // What changes while no worker is there must be served by the new one.
  put('b');
  await pool.settled();
  expect([await status('/a'), await status('/b'), counts]).toEqual([503, 503, { restarts: 1, hangs: 0 }]);
});

test('a worker that hangs holds up nobody, and is replaced', async () => {
  const stage = await barePool({ ...hangs, workers: 2 });
  const { pool, put, status, counts, until } = stage;
  put('a');
  await pool.open();
  await hang(stage);
  await until('it is found to hang', () => counts.hangs === 1);
  put('b');
  await pool.settled();
  expect(pool.listening).toBe(1);
  await until('it is replaced', () => pool.listening === 2);
  const statuses = await Promise.all(Array.from({ length: 20 }, async () => status('/b')));
  expect([new Set(statuses), counts]).toEqual([new Set([503]), { restarts: 1, hangs: 1 }]);
});

test('while no worker serves, nothing is said to be in force', async () => {
  const stage = await barePool(hangs);
  const { pool, put, status, counts } = stage;
  await pool.open();
  await hang(stage);
  put('a');
  await pool.settled();
  expect([await status('/a'), counts]).toEqual([503, { restarts: 1, hangs: 1 }]);
});

test('a stop waits for no worker that hangs', async () => {
  const stage = await barePool({ ...hangs, workers: 2 });
  const { pool, counts } = stage;
  await pool.open();
  await hang(stage);
  await pool.stop(3_600_000);
  expect(counts).toEqual({ restarts: 0, hangs: 1 });
});

test('a worker that cannot listen is tried again until it can, and the pool knows that nobody serves', async () => {
  const { pool, port, put, status, counts, threads, until } = await barePool();
  put('a');
  await pool.open();
  await threads[0]?.terminate();
  const other = createServer();
  await once(other.listen({ port, host: '127.0.0.1', exclusive: true }), 'listening');
  await until('the next has failed', () => counts.restarts === 2);
  expect(pool.listening).toBe(0);
  await new Promise((resolve) => other.close(resolve));
  put('b');
  await pool.settled();
  expect([await status('/a'), await status('/b')]).toEqual([503, 503]);
});

test('a worker that starts while the gateway leaves is told so', async () => {
  const { pool, port, threads, put, until } = await barePool({ workers: 1 });
  put('a');
  await pool.open();
  pool.leave();
  await threads[0]?.terminate();
  await until('another serves', () => threads.length === 2 && pool.listening === 1);
  const socket = connect({ port, host: '127.0.0.1' });
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(socket, 'close');
  expect(text).toMatch(/^HTTP\/1\.1 503 [^]*\r\nConnection: close\r\n/i);
});

/** A gateway with one worker, which hangs or dies when a request asks it to. */
async function startWithBugs() {
  const upstream = await startUpstream();
  onTestFinished(async () => upstream.close());
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'all.yaml'), oneService(upstream.port));
  const flags = ['--workers', '1', '--worker-hang-timeout-ms', '3000'];
  const latchkey = await startLatchkey(['run', '--dir', dir, ...flags], ['--import', bugs]);
  onTestFinished(async () => void (await latchkey.stop()));
  return latchkey;
}

test('the whole gateway tells of a worker that hangs, and fails readiness while none serves', async () => {
  const latchkey = await startWithBugs();
  const ready = { port: latchkey.statusPort, path: '/readyz' };
  ask(latchkey.proxyPort, '/hang');
  await untilStatus(ready, 503);
  expect((await send(ready)).body).toBe('0 of 1 workers serve; the others are being replaced');
  await untilStatus(ready, 200);
  expect((await send({ port: latchkey.proxyPort, path: '/' })).status).toBe(200);
  expect(latchkey.output()).toMatch(/"worker":0,"msg":"a worker hangs and is replaced"/);
  const { body } = await send({ port: latchkey.statusPort, path: '/metrics' });
  expect(body).toMatch(/^latchkey_worker_hangs_total 1$/m);
});

test('workers that die and hang while bodies come in over HTTP/2 take nobody with them', async () => {
  const latchkey = await startWithBugs();
  const ready = { port: latchkey.statusPort, path: '/readyz' };
  for (const path of ['/die', '/hang']) {
    await askAmidBodies(latchkey.proxyPort, path);
    await untilStatus(ready, 503);
    await untilStatus(ready, 200);
    expect((await send({ port: latchkey.proxyPort, path: '/' })).status).toBe(200);
  }
  expect(latchkey.output()).toMatch(/"worker":0,.*a bug.*"msg":"a worker died and is replaced"/);
  expect(latchkey.output()).toMatch(/"worker":0,"msg":"a worker hangs and is replaced"/);
  expect(await latchkey.stop()).toBe(0);
});
