import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createRouteNames } from '#table/route-names.ts';
import type { RouteFigures, TrafficReport } from '#telemetry/traffic-figures.ts';
import { createTrafficMetrics } from '#telemetry/traffic-metrics.ts';

const none = { counts: [0, 1], sumMs: 5 };

function reportOf(...routes: readonly Partial<RouteFigures>[]): TrafficReport {
  const figures = routes.map((route): RouteFigures => ({
    route: 'default/a',
    service: 'default/s/80',
    consumer: '',
    answers: [['service', 200, 1]],
    attempts: [['key-auth', 'granted', 1]],
    failures: [['connect', 1]],
    retries: 1,
    ingressBytes: 1,
    egressBytes: 1,
    requestMs: none,
    upstreamMs: none,
    gatewayMs: none,
    ...route,
  }));
  return {
    routes: figures,
    refused: [],
    acceptedConnections: 0,
    connections: 0,
    tunnels: 0,
    upstream: { active: 0, idle: 0 },
    outTargets: [],
    droppedLines: 0,
    loopDelay: { meanSeconds: 0, maxSeconds: 0 },
  };
}

function start() {
  const registry = new Registry();
  const traffic = createTrafficMetrics([registry]);
  const series = async (name: string): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`));
  return { traffic, series };
}

test('what several workers counted adds up', async () => {
  const { traffic, series } = start();
  traffic.report(0, reportOf({}));
  traffic.report(1, reportOf({}));
  expect(await series('kong_http_requests_total')).toEqual([
    'kong_http_requests_total{service="default/s/80",route="default/a",code="200",source="service",consumer=""} 2',
  ]);
  expect(await series('kong_kong_latency_ms_count')).toEqual([
    'kong_kong_latency_ms_count{service="default/s/80",route="default/a"} 2',
  ]);
});

test('a route that is gone takes its series along, and nobody else', async () => {
  const { traffic, series } = start();
  traffic.report(0, reportOf({}, { route: 'default/b' }));
  await traffic.forget(new Set(['default/a']));
  for (const name of [
    'kong_http_requests_total',
    'kong_bandwidth_bytes',
    'latchkey_auth_attempts_total',
    'latchkey_upstream_failures_total',
    'latchkey_upstream_retries_total',
    'kong_request_latency_ms_count',
  ]) {
    const left = await series(name);
    expect([name, left.length > 0, left.every((line) => line.includes('route="default/b"'))]).toEqual([
      name,
      true,
      true,
    ]);
  }
});

test('beyond 2,000 routes the rest is told as one, and what goes makes room', async () => {
  const { traffic, series } = start();
  const names = Array.from({ length: 2_001 }, (_, i) => ({ route: `default/${i}` }));
  traffic.report(0, reportOf(...names));
  const last = 'route="default/2000"';
  expect((await series('kong_http_requests_total')).filter((line) => line.includes('route="other"'))).toHaveLength(1);
  await traffic.forget(new Set(['default/0']));
  traffic.report(0, reportOf({ route: 'default/2000' }));
  expect((await series('kong_http_requests_total')).some((line) => line.includes(last))).toBe(true);
});

test('a route is gone with the last entry of its name, not when one is replaced', () => {
  const names = createRouteNames();
  const route = { kind: 'route', name: 'default/a' };
  expect(names.take({ put: [route, route], remove: [] })).toEqual(new Set());
  expect(names.take({ put: [route], remove: [route] })).toEqual(new Set());
  expect(names.take({ put: [], remove: [route] })).toEqual(new Set());
  expect(names.take({ put: [{ kind: 'service', name: 'default/a' }], remove: [route] })).toEqual(
    new Set(['default/a']),
  );
});
