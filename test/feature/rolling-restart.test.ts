/** A second process takes over the ports of the first while clients never stop asking. */
import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { oneService } from '../support/one-service.ts';
import { streamRequests } from '../support/request-stream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

/** A process on a port that another may have. */
async function startOn(port: number, dir: string): Promise<ChildProcess> {
  const args = ['src/main.ts', 'run', '--dir', dir, '--workers', '2', '--reuse-port', '--drain-delay-ms', '300'];
  const listen = ['--proxy-listen', `127.0.0.1:${port}`];
  const off = ['--https-listen', '--admin-listen', '--status-listen'].flatMap((flag) => [flag, 'off']);
  const child = spawn(process.execPath, [...args, ...listen, ...off], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await until({
    what: 'it serves',
    holds: () => text.includes('"msg":"serving"'),
    subscribe: (check) => {
      child.stdout.on('data', check);
      return () => child.stdout.off('data', check);
    },
  });
  return child;
}

test('clients on kept connections lose no request over three restarts, and each process ends by itself', async () => {
  const upstream = await startUpstream();
  onTestFinished(async () => upstream.close());
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'all.yaml'), oneService(upstream.port));
  const port = await freePort();
  let current = await startOn(port, dir);
  const streams = Array.from({ length: 8 }, () => streamRequests({ port, path: '/' }));
  for (let round = 0; round < 3; round += 1) {
    const next = await startOn(port, dir);
    await Promise.all(streams.map(async (stream) => stream.more(20)));
    current.kill('SIGTERM');
    const [code] = (await once(current, 'exit')) as [number | null];
    expect(code).toBe(0);
    current = next;
  }
  await Promise.all(streams.map(async (stream) => stream.more(20)));
  const tallies = await Promise.all(streams.map(async (stream) => stream.stop()));
  for (const tally of tallies) expect(Object.keys(tally)).toEqual(['200']);
});

test('without the flag a port that is taken is refused, with the flag to change', async () => {
  const upstream = await startUpstream();
  onTestFinished(async () => upstream.close());
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'all.yaml'), oneService(upstream.port));
  const port = await freePort();
  await startOn(port, dir);
  const args = ['src/main.ts', 'run', '--dir', dir, '--proxy-listen', `127.0.0.1:${port}`, '--https-listen', 'off'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  expect([code, text]).toMatchObject([1, expect.stringMatching(/--proxy-listen: .*already taken/)]);
});
