/** Endpoints that die and return: who probes them, and that every worker knows. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { oneService } from '../support/one-service.ts';
import { startLatchkey } from '../support/latchkey-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A Service at an upstream, with health checks. */
const manifests = (port: number, healthchecks: string): string => `${oneService(port, { policy: 'checked' })}---
apiVersion: configuration.konghq.com/v1beta1
kind: KongUpstreamPolicy
metadata: { name: checked }
spec: { healthchecks: ${healthchecks} }
`;

/** An upstream that can go away and come back at its port; it counts the probes. */
async function mortalUpstream() {
  // None that the kernel gives to others while it is closed.
  const upstream = { port: await freePort(), probes: 0, requests: 0, status: 200 };
  const server = createServer((request, response) => {
    if (request.url === '/health') upstream.probes += 1;
    else upstream.requests += 1;
    response.writeHead(upstream.status).end();
  });
  const open = async (): Promise<void> =>
    new Promise<void>((resolve) => server.listen(upstream.port, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  await open();
  onTestFinished(close);
  return Object.assign(upstream, { open, close });
}

async function startChecked(healthchecks: string, workers: number) {
  const upstream = await mortalUpstream();
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'all.yaml'), manifests(upstream.port, healthchecks));
  const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', String(workers)]);
  onTestFinished(async () => void (await latchkey.stop()));
  /** Statuses of requests on connections of their own, so that they come to all workers. */
  const statuses = async (count: number): Promise<string> => {
    const found = new Set<number>();
    for (let i = 0; i < count; i += 1) {
      const answer = await fetch(`http://127.0.0.1:${latchkey.proxyPort}/`, { headers: { Connection: 'close' } });
      found.add(answer.status);
    }
    return [...found].join(' ');
  };
  /** Asks until all of many requests are answered so. */
  const allAnswered = async (status: number): Promise<void> => {
    const deadlineMs = Date.now() + 60_000;
    while ((await statuses(20)) !== String(status)) {
      if (Date.now() > deadlineMs) throw new Error(`not all requests are answered ${status}`);
    }
  };
  return { upstream, latchkey, statuses, allAnswered };
}

const everySecond =
  '{ active: { httpPath: /health, healthy: { interval: 1, successes: 1 }, unhealthy: { interval: 1, tcpFailures: 1, httpFailures: 1 } } }';

test('an endpoint that dies gets no more requests from any worker, and some again when it returns', async () => {
  const { upstream, allAnswered } = await startChecked(everySecond, 2);
  await allAnswered(200);
  await upstream.close();
  await allAnswered(503);
  await upstream.open();
  await allAnswered(200);
});

test('an endpoint that says that it is not well gets no requests', async () => {
  const { upstream, allAnswered, statuses } = await startChecked(everySecond, 1);
  upstream.status = 500;
  await allAnswered(503);
  const { requests } = upstream;
  expect(await statuses(5)).toBe('503');
  expect(upstream.requests).toBe(requests);
  upstream.status = 200;
  await allAnswered(200);
});

test('one worker probes for all', async () => {
  const active = '{ active: { httpPath: /health, healthy: { interval: 3600, successes: 1 } } }';
  const { upstream, allAnswered } = await startChecked(active, 3);
  await allAnswered(200);
  expect(upstream.probes).toBe(1);
});

test('what requests of one worker find is told to the one that probes, and so to all', async () => {
  const seldom = 'active: { unhealthy: { interval: 3600 }, healthy: { successes: 1 } }';
  const { upstream, latchkey, allAnswered } = await startChecked(
    `{ ${seldom}, passive: { unhealthy: { tcpFailures: 1 } } }`,
    2,
  );
  await upstream.close();
  await allAnswered(503);
  await latchkey.printed(`"out":["127.0.0.1 ${upstream.port}"]`);
});
