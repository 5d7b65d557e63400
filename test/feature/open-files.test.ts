/** More connections than the process may have files open. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { send } from '../support/client.ts';
import { launchLatchkey } from '../support/latchkey-process.ts';
import { oneService } from '../support/one-service.ts';
import { startUpstream } from '../support/upstream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { untilFound, untilReadiness } from '../support/until-found.ts';

test('a flood of connections leaves files for probes and metrics, is counted, and goes by', async () => {
  const upstream = await startUpstream();
  onTestFinished(upstream.close);
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'all.yaml'), oneService(upstream.port));
  const args = ['run', '--dir', dir, '--workers', '1'];
  const latchkey = await launchLatchkey(args, [], {}, ['sh', '-c', 'ulimit -n 456; exec "$@"', 'sh']);
  onTestFinished(async () => void (await latchkey.stop()));
  await latchkey.printed('"msg":"serving"');
  expect(latchkey.output()).toContain('"openFiles":456,"workers":1,"connections":100,');

  let closed = 0;
  const sockets: Socket[] = [];
  const onClose = (): void => void (closed += 1);
  for (let i = 0; i < 600; i += 1) {
    const socket = connect(latchkey.proxyPort, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket.on('close', onClose));
  }
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await until({
    what: 'all but a hundred are closed',
    holds: () => closed >= 500,
    subscribe: (check) => {
      for (const socket of sockets) socket.on('close', check);
      return () => undefined;
    },
  });
  await untilReadiness(latchkey, { status: 200 });
  // What a busy worker has not told in time is in the next answer.
  const metrics = async (): Promise<string> => (await send({ port: latchkey.statusPort, path: '/metrics' })).body;
  await expect.poll(metrics).toContain('latchkey_refused_requests_total{reason="connections"} 500');
  await expect.poll(metrics).toMatch(/kong_nginx_connections_total\{[^}]*state="active"\} 100\n/);

  const open = sockets.filter((socket) => !socket.destroyed);
  for (const socket of open) socket.destroy();
  await Promise.all(open.map(async (socket) => socket.closed || once(socket, 'close')));
  const answer = await untilFound('a request is served again', async () =>
    send({ port: latchkey.proxyPort, path: '/' }).catch(() => undefined),
  );
  expect(answer.status).toBe(200);
});
