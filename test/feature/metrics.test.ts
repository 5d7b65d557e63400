/** What an operator scrapes at /metrics of a whole process. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { once } from 'node:events';
import { startLatchkey, type LatchkeyProcess } from '../support/latchkey-process.ts';
import { send } from '../support/client.ts';
import { bobsKey } from '../support/bobs-key.ts';
import { oneService } from '../support/one-service.ts';
import { startUpstream } from '../support/upstream.ts';

/** As people bring it from Kong. */
const prometheus = `apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: { name: prometheus, annotations: { kubernetes.io/ingress.class: kong }, labels: { global: 'true' } }
plugin: prometheus
`;

const stopping = `apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: { name: stopping }
plugin: request-termination
config: { trigger: x-stop }
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: { name: pages }
plugin: cors
`;

let upstream: Awaited<ReturnType<typeof startUpstream>>;
let sockets: WebSocketServer;
let latchkey: LatchkeyProcess;
let dir: string;

beforeAll(async () => {
  upstream = await startUpstream();
  sockets = new WebSocketServer({ server: upstream.server });
  dir = await mkdtemp(join(tmpdir(), 'latchkey-metrics-'));
  writeFileSync(
    join(dir, 'all.yaml'),
    [
      oneService(upstream.port, { route: { 'konghq.com/plugins': 'key-auth,stopping,pages' } }),
      bobsKey,
      prometheus,
      stopping,
    ].join('---\n'),
  );
  latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '2', '--metrics-per-consumer']);
});

afterAll(async () => {
  await latchkey.stop();
  sockets.close();
  await upstream.close();
  await rm(dir, { recursive: true });
});

/**
 * The value of each series whose name and labels begin so, by the rest of its labels. What a busy worker has not told in
 * time is in the next answer: tests ask until it is there.
 */
async function scrape(start: string): Promise<Record<string, number>> {
  const { body } = await send({ port: latchkey.statusPort, path: '/metrics' });
  const lines = body.split('\n').filter((line) => line.startsWith(start));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

const apikey = 'bobs-key';
const ask = async (headers: Record<string, string>, more: { method?: string; body?: string } = {}) =>
  send({ port: latchkey.proxyPort, path: '/', headers: Object.entries(headers), ...more });

test('requests are counted by service, route, code, who answered, and consumer, whichever worker had them', async () => {
  for (let i = 0; i < 20; i += 1) expect((await ask({ apikey, connection: 'close' })).status).toBe(200);
  for (let i = 0; i < 3; i += 1) expect((await ask({})).status).toBe(401);
  expect((await ask({ apikey: 'wrong' })).status).toBe(401);
  const route = 'service="default/s/80",route="default/a"';
  await expect
    .poll(async () => scrape('kong_http_requests_total'))
    .toEqual({
      [`kong_http_requests_total{${route},code="200",source="service",consumer="bob"}`]: 20,
      [`kong_http_requests_total{${route},code="401",source="kong",consumer=""}`]: 4,
    });
});

test('decisions on callers are counted by their outcome', async () => {
  const before = await scrape('latchkey_auth_attempts_total');
  await ask({ apikey });
  await ask({});
  await ask({ apikey: 'wrong' });
  expect((await ask({ apikey, 'x-stop': 'yes' })).status).toBe(503);
  const preflight = { origin: 'http://a.example', 'access-control-request-method': 'GET' };
  expect((await ask(preflight, { method: 'OPTIONS' })).status).toBe(200);
  let after = before;
  const series = (outcome: string) =>
    `latchkey_auth_attempts_total{route="default/a",plugin="key-auth",outcome="${outcome}"}`;
  const told = async () => {
    after = await scrape('latchkey_auth_attempts_total');
    const since = (outcome: string): number => (after[series(outcome)] ?? 0) - (before[series(outcome)] ?? 0);
    return ['granted', 'no-key', 'unknown-key'].map((outcome) => [outcome, since(outcome)]);
  };
  // Whom another plugin answers once the key was found has been let in by it.
  await expect.poll(told).toEqual([
    ['granted', 2],
    ['no-key', 1],
    ['unknown-key', 1],
  ]);
  // Plugins that decide nothing about callers are none of those who decide.
  expect(Object.keys(after).filter((name) => !name.includes('plugin="key-auth"'))).toEqual([]);
});

test('bytes of bodies go by their direction', async () => {
  const series = (direction: string) =>
    `kong_bandwidth_bytes{service="default/s/80",route="default/a",direction="${direction}",consumer="bob"}`;
  const before = await scrape('kong_bandwidth_bytes');
  await ask({ apikey }, { method: 'POST', body: 'x'.repeat(1000) });
  const since = async () => {
    const after = await scrape('kong_bandwidth_bytes');
    return ['ingress', 'egress'].map((way) => (after[series(way)] ?? 0) - (before[series(way)] ?? 0));
  };
  await expect.poll(since).toEqual([1000, 'upstream'.length]);
});

test.for(['kong_request_latency_ms', 'kong_upstream_latency_ms', 'kong_kong_latency_ms'])(
  '%s: its buckets add up',
  async (name) => {
    await ask({ apikey });
    const labels = 'service="default/s/80",route="default/a"';
    const count = `${name}_count{${labels}}`;
    await expect.poll(async () => (await scrape(count))[count]).toBeGreaterThan(0);
    const series = await scrape(name);
    const total = series[count];
    expect(series[`${name}_bucket{le="+Inf",${labels}}`]).toBe(total);
    expect(series[`${name}_sum{${labels}}`]).toBeGreaterThan(0);
  },
);

test('what has no meaning is counted by its reason, without a route', async () => {
  expect((await send({ port: latchkey.proxyPort, path: '/a%5cb' })).status).toBe(400);
  await expect
    .poll(async () => scrape('latchkey_refused_requests_total'))
    .toEqual({
      'latchkey_refused_requests_total{reason="path"}': 1,
    });
  await expect
    .poll(async () => scrape('kong_http_requests_total{service="",route=""'))
    .toEqual({
      'kong_http_requests_total{service="",route="",code="400",source="kong",consumer=""}': 1,
    });
});

test('connections and tunnels are told as they are', async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${latchkey.proxyPort}/`, { headers: { apikey } });
  await once(socket, 'open');
  const sum = (series: Record<string, number>): number => Object.values(series).reduce((total, n) => total + n, 0);
  await expect.poll(async () => sum(await scrape('latchkey_tunnels'))).toBe(1);
  await expect.poll(async () => sum(await scrape('kong_nginx_connections_total'))).toBeGreaterThanOrEqual(1);
  await expect.poll(async () => Object.keys(await scrape('latchkey_event_loop_delay_max_seconds'))).toHaveLength(2);
  socket.terminate();
});

test('no key stands in them', async () => {
  await ask({ apikey: 'bobs-key' });
  expect((await send({ port: latchkey.statusPort, path: '/metrics' })).body).not.toContain('bobs-key');
});
