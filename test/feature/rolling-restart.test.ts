/** A second process takes over the ports of the first while clients never stop asking. */
import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import type { CallerProtocol } from '../support/kept-caller.ts';
import { oneService } from '../support/one-service.ts';
import { streamOver } from '../support/request-stream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

/** Resolves once a process has printed this. */
async function printed(child: ChildProcess, wanted: string): Promise<void> {
  let text = '';
  const { stdout } = child;
  stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await until({
    what: `it prints ${wanted}`,
    holds: () => text.includes(wanted),
    subscribe: (check) => {
      stdout?.on('data', check);
      return () => stdout?.off('data', check);
    },
  });
}

interface Ports {
  readonly port: number;
  readonly httpsPort: number;
}

/** A process on ports that another may have. */
async function startOn({ port, httpsPort }: Ports, dir: string, drainDelayMs: number): Promise<ChildProcess> {
  const args = ['src/main.ts', 'run', '--dir', dir, '--workers', '2', '--reuse-port'];
  const listen = ['--proxy-listen', `127.0.0.1:${port}`, '--https-listen', `127.0.0.1:${httpsPort}`];
  const off = ['--admin-listen', '--status-listen'].flatMap((flag) => [flag, 'off']);
  const flags = [...args, ...listen, ...off, '--drain-delay-ms', String(drainDelayMs)];
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await printed(child, '"msg":"serving"');
  return child;
}

/** A directory with one route, to an upstream. */
async function oneRoute(): Promise<string> {
  const upstream = await startUpstream();
  onTestFinished(async () => upstream.close());
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'all.yaml'), oneService(upstream.port));
  return dir;
}

const freePorts = async (): Promise<Ports> => ({ port: await freePort(), httpsPort: await freePort() });

test.for<[protocol: CallerProtocol, drainDelayMs: number]>([
  ['http', 300],
  ['http', 0],
  ['https', 0],
  ['h2', 0],
  ['h2c', 0],
])(
  'clients of %s that keep connections lose no request over three restarts with a delay of %i ms',
  async ([protocol, drainDelayMs]) => {
    const dir = await oneRoute();
    const ports = await freePorts();
    const port = protocol === 'https' || protocol === 'h2' ? ports.httpsPort : ports.port;
    let current = await startOn(ports, dir, drainDelayMs);
    const streams = Array.from({ length: 8 }, () => streamOver(protocol, { port, path: '/' }));
    for (let round = 0; round < 3; round += 1) {
      const next = await startOn(ports, dir, drainDelayMs);
      await Promise.all(streams.map(async (stream) => stream.more(20)));
      current.kill('SIGTERM');
      const [code] = (await once(current, 'exit')) as [number | null];
      expect(code).toBe(0);
      current = next;
    }
    await Promise.all(streams.map(async (stream) => stream.more(20)));
    // A caller of HTTP/2 asks again what it is told to be unprocessed, which is all that it may have to do.
    const tallies = await Promise.all(streams.map(async (stream) => stream.stop()));
    for (const tally of tallies) expect(Object.keys(tally)).toEqual(['200']);
  },
);

/** Resolves once nobody listens on a port. */
async function untilRefused(port: number): Promise<void> {
  for (;;) {
    const socket = connect({ port, host: '127.0.0.1' });
    const refused = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(false));
      socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
    });
    socket.destroy();
    if (refused) return;
  }
}

test('a request that comes on a kept connection as the listener closes is answered', async () => {
  const ports = await freePorts();
  const gateway = await startOn(ports, await oneRoute(), 0);
  const socket = connect({ port: ports.port, host: '127.0.0.1' });
  socket.on('error', () => undefined); // what came tells
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  socket.write(request);
  await once(socket, 'data');
  const exited = once(gateway, 'exit');
  gateway.kill('SIGTERM');
  await untilRefused(ports.port);
  text = '';
  socket.write(request);
  await once(socket, 'close');
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect(await exited).toEqual([0, null]);
});

test('a connection that says nothing as the listener closes holds up no end', async () => {
  const ports = await freePorts();
  const gateway = await startOn(ports, await oneRoute(), 0);
  const kept = connect({ port: ports.port, host: '127.0.0.1' });
  kept.on('error', () => undefined);
  kept.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(kept, 'data');
  const silent = connect({ port: ports.port, host: '127.0.0.1' });
  await once(silent, 'connect');
  const startedMs = performance.now();
  gateway.kill('SIGTERM');
  expect(await once(gateway, 'exit')).toEqual([0, null]);
  expect(performance.now() - startedMs).toBeLessThan(20_000); // less than requests under way may take
});

test('without the flag a port that is taken is refused, with the flag to change', async () => {
  const dir = await oneRoute();
  const ports = await freePorts();
  await startOn(ports, dir, 0);
  const { port } = ports;
  const args = ['src/main.ts', 'run', '--dir', dir, '--proxy-listen', `127.0.0.1:${port}`, '--https-listen', 'off'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  expect([code, text]).toMatchObject([1, expect.stringMatching(/--proxy-listen: .*already taken/)]);
});
