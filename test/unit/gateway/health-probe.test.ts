import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { ServiceEntry } from '#table/service-entry.ts';
import type { ActiveChecks } from '#table/upstream-policy.ts';
import { sendProbe } from '../../../src/gateway/health-probe.ts';
import { freePort } from '../../support/free-port.ts';
import { makePair } from '../../support/certificates.ts';

const checks: ActiveChecks = {
  type: 'http',
  healthyStatuses: [200],
  successes: 1,
  unhealthyStatuses: [500],
  httpFailures: 1,
  tcpFailures: 1,
  timeouts: 1,
  healthyIntervalMs: 1_000,
  unhealthyIntervalMs: 1_000,
  timeoutMs: 5_000,
  concurrency: 10,
  path: '/health?deep',
  headers: ['X-Probe', 'latchkey'],
  verifiesCertificate: true,
};
const service: ServiceEntry = {
  kind: 'service',
  key: 'service:default/shop/80',
  targets: [],
  path: '/',
  retries: 5,
  connectTimeoutMs: 1,
  writeTimeoutMs: 1,
  readTimeoutMs: 1,
};

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const at = async (answer: RequestListener): Promise<number> => listening(createServer(answer));

test('a probe asks for the path with its headers and gives the status', async () => {
  let seen: unknown;
  const port = await at((request, response) => {
    seen = [request.method, request.url, request.headers.host, request.headers['x-probe']];
    response.writeHead(418).end();
  });
  expect(await sendProbe(service, { host: '127.0.0.1', port }, checks)).toBe(418);
  expect(seen).toEqual(['GET', '/health?deep', `127.0.0.1:${port}`, 'latchkey']);
});

test('the Host of a probe is the one that the Service states', async () => {
  const port = await at((request, response) => response.writeHead(request.headers.host === 'shop' ? 200 : 500).end());
  expect(await sendProbe({ ...service, hostHeader: 'shop' }, { host: '127.0.0.1', port }, checks)).toBe(200);
});

test.for(['http', 'https', 'tcp'] as const)('a refused connection is one (%s)', async (type) => {
  expect(await sendProbe(service, { host: '127.0.0.1', port: await freePort() }, { ...checks, type })).toBe('connect');
});

test('silence is a timeout', async () => {
  const port = await at(() => undefined);
  expect(await sendProbe(service, { host: '127.0.0.1', port }, { ...checks, timeoutMs: 30 })).toBe('timeout');
});

test('a connection is enough for tcp', async () => {
  const port = await at(() => undefined);
  const tcp = { ...checks, type: 'tcp', healthyStatuses: [204] } as const;
  expect(await sendProbe(service, { host: '127.0.0.1', port }, tcp)).toBe(204);
});

test('what is no HTTP is a failed connection', async () => {
  const port = await at((request) => request.socket.end('nonsense\r\n\r\n'));
  expect(await sendProbe(service, { host: '127.0.0.1', port }, checks)).toBe('connect');
});

test('https verifies the certificate unless it is told not to', async () => {
  const pair = makePair({ names: ['shop.example.com'] });
  const server = createTlsServer({ cert: pair.certificate, key: pair.privateKey }, (_, response) => response.end());
  const port = await listening(server);
  const https = { ...checks, type: 'https', sni: 'shop.example.com' } as const;
  expect(await sendProbe(service, { host: '127.0.0.1', port }, https)).toBe('connect');
  expect(await sendProbe(service, { host: '127.0.0.1', port }, { ...https, verifiesCertificate: false })).toBe(200);
});
