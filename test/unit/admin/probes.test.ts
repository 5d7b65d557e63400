import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createStatusServer, type Readiness } from '#admin/probes.ts';
import { send } from '../../support/client.ts';

let server: Server;
let readiness: Readiness;
let metrics: () => Promise<{ contentType: string; body: string }>;

beforeEach(async () => {
  readiness = { ready: true };
  metrics = async () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' });
  server = createStatusServer({ readiness: () => readiness, metrics: async () => metrics() });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => void server.close());

async function ask(line: string) {
  const [method = '', path = ''] = line.split(' ');
  const { status, body, headers } = await send({ port: (server.address() as AddressInfo).port, method, path });
  return { status, body, type: headers['content-type'], allow: headers['allow'], length: headers['content-length'] };
}

const text = 'text/plain; charset=utf-8';
const json = 'application/json; charset=utf-8';
const draining: Readiness = { ready: false, reason: 'draining' };

test.for([
  ['GET /healthz', { ready: true }, 200, 'ok', text],
  ['GET /healthz', draining, 200, 'ok', text],
  ['GET /readyz', { ready: true }, 200, 'ok', text],
  ['GET /readyz', draining, 503, 'draining', text],
  ['GET /readyz', { ready: false }, 503, 'not ready', text],
  ['GET /readyz?verbose', { ready: true }, 200, 'ok', text],
  ['GET /status/ready', { ready: true }, 200, '{"message":"ready"}', json],
  ['GET /status/ready', draining, 503, '{"message":"draining"}', json],
  ['GET /metrics', { ready: true }, 200, 'up 1\n', 'text/plain; version=0.0.4'],
  ['GET /metrics', draining, 200, 'up 1\n', 'text/plain; version=0.0.4'],
  ['GET /', { ready: true }, 404, '{"message":"Not found"}', json],
  ['POST /nothing', { ready: true }, 404, '{"message":"Not found"}', json],
  ['POST /healthz', { ready: true }, 405, '{"message":"Method not allowed"}', json],
] as const)('%s when %j is %i %s', async ([line, now, status, body, type]) => {
  readiness = now;
  expect(await ask(line)).toMatchObject({ status, body, type, allow: status === 405 ? 'GET, HEAD' : undefined });
});

test.for(['/healthz', '/readyz', '/status/ready', '/metrics'])('HEAD %s is GET without the body', async (path) => {
  const { body, ...get } = await ask(`GET ${path}`);
  expect(await ask(`HEAD ${path}`)).toEqual({ ...get, body: '', length: String(body.length) });
});

test('metrics that fail are 500, and all else answers', async () => {
  metrics = async () => Promise.reject(new Error('no metrics'));
  expect(await ask('GET /metrics')).toMatchObject({ status: 500, body: '{"message":"no metrics"}' });
  expect(await ask('GET /healthz')).toMatchObject({ status: 200 });
});
