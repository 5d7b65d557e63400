/** Starting and draining, on the whole process. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { oneService } from '../support/one-service.ts';
import { startLatchkey } from '../support/latchkey-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('SIGTERM fails readiness, lets what is under way finish, and exits 0', async () => {
  let release = (): void => undefined;
  const arrived = new Promise<void>((resolve) => {
    const slow = createServer((_, response) => {
      release = () => response.end('done');
      resolve();
    });
    slow.listen(0, '127.0.0.1');
    onTestFinished(() => void slow.close());
    upstream = slow;
  });
  await once(upstream, 'listening');
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'all.yaml'), oneService((upstream.address() as AddressInfo).port));
  const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '2', '--drain-delay-ms', '300']);
  const ready = async () => (await fetch(`http://127.0.0.1:${latchkey.statusPort}/readyz`)).status;
  expect(await ready()).toBe(200);

  const answer = new Promise<string>((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port: latchkey.proxyPort, path: '/' }, (response) => {
      response.on('data', (chunk: Buffer) => resolve(chunk.toString('utf8')));
    })
      .once('error', reject)
      .end();
  });
  await arrived;
  const exited = once(latchkey.child, 'exit');
  latchkey.child.kill('SIGTERM');
  await latchkey.printed('draining');
  expect(await ready()).toBe(503);
  release();
  expect(await answer).toBe('done');
  expect((await exited)[0]).toBe(0);
});

let upstream: ReturnType<typeof createServer>;

test('SIGTERM ends WebSockets at once instead of waiting for them', async () => {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(sockets, 'listening');
  onTestFinished(() => sockets.close());
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'all.yaml'), oneService((sockets.address() as AddressInfo).port));
  const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '1']);
  const socket = new WebSocket(`ws://127.0.0.1:${latchkey.proxyPort}/`);
  await once(socket, 'open');
  const closed = once(socket, 'close');
  expect(await latchkey.stop()).toBe(0);
  await closed;
});
