/** A kubeconfig whose token the API server no longer takes, read by the processes that are really made for it. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectKubernetes } from '#source/kubernetes-api.ts';
import { plainKubeconfig } from '../../support/kubeconfig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** An API server that takes one token, and a kubeconfig for it. */
async function start() {
  let taken = 'first';
  const server = createServer(({ headers }, response) => {
    const isTaken = headers.authorization === `Bearer ${taken}`;
    response.writeHead(isTaken ? 200 : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isTaken ? { kind: 'Service' } : { kind: 'Status', message: 'Unauthorized' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const kubeconfig = join(temporaryFolder(), 'kubeconfig');
  const { port } = server.address() as AddressInfo;
  const write = (token: string): void => writeFileSync(kubeconfig, plainKubeconfig(port, { token }));
  write(taken);
  let nowMs = 0;
  const api = await connectKubernetes(kubeconfig, undefined, () => nowMs);
  let processes = 0;
  const count = (): void => void (processes += 1);
  subscribe('child_process', count);
  onTestFinished(async () => {
    unsubscribe('child_process', count);
    await api.close();
    server.closeAllConnections();
    server.close();
  });
  return {
    write,
    take: (token: string): void => void (taken = token),
    ask: async () => api.request<{ kind: string }>({ method: 'GET', path: '/api/v1/services' }),
    /** What was read so far was read long ago. */
    later: (): void => void (nowMs += 60_000),
    processes: (): number => processes,
  };
}

test('who are refused at the same time have the kubeconfig read once, and nobody hears of it', async () => {
  const { write, take, ask, later, processes } = await start();
  expect(await ask()).toEqual({ kind: 'Service' });
  later();
  write('second');
  take('second');
  const answers = await Promise.all(Array.from({ length: 20 }, ask));
  expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(['Service']));
  expect(processes()).toBe(1);
});

test('who is refused with what has just been read is told so at once, and later it is read again', async () => {
  const { take, ask, later, processes } = await start();
  take('another');
  later();
  for (let i = 0; i < 20; i += 1) await expect(ask()).rejects.toMatchObject({ status: 401, message: 'Unauthorized' });
  expect(processes()).toBe(1);
  later();
  await expect(ask()).rejects.toMatchObject({ status: 401 });
  expect(processes()).toBe(2);
});
