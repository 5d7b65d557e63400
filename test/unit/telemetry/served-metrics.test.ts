import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createServedMetrics, type ServedFigures } from '#telemetry/served-metrics.ts';

const nothing: ServedFigures = { objects: new Map(), expiringCredentials: 0, certificates: [], targets: [] };

function start() {
  const registry = new Registry();
  const served = createServedMetrics([registry]);
  const series = async (name: string): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`));
  return { served, series };
}

const certificate = (i: number) => ({ secret: `default/c${i}`, serverName: `${i}.example.com`, notAfterMs: i * 1_000 });
const target = (i: number, state: string) => ({ service: `default/s${i}/80`, target: { host: '::1', port: i }, state });

test('of very many certificates those are told that end first', async () => {
  const { served, series } = start();
  const certificates = Array.from({ length: 2_001 }, (_, i) => certificate(i)).toReversed();
  served.set({ ...nothing, certificates });
  const told = await series('latchkey_certificate_expiry_timestamp_seconds');
  expect(told).toHaveLength(2_000);
  expect(told[0]).toBe(
    'latchkey_certificate_expiry_timestamp_seconds{secret="default/c0",server_name="0.example.com"} 0',
  );
  expect(told.some((line) => line.includes('"default/c2000"'))).toBe(false);
});

test('of very many targets those are told first that are checked', async () => {
  const { served, series } = start();
  const targets = Array.from({ length: 2_000 }, (_, i) => target(i, 'healthchecks_off'));
  served.set({ ...nothing, targets: [...targets, target(2_000, 'unhealthy')] });
  const told = await series('kong_upstream_target_health');
  expect(told).toHaveLength(4 * 2_000);
  expect(told).toContain(
    'kong_upstream_target_health{upstream="default/s2000/80",target="[::1]:2000",address="[::1]:2000",state="unhealthy",subsystem="http"} 1',
  );
});

test('what is served no more is told no more', async () => {
  const { served, series } = start();
  const objects = new Map([['Ingress', new Map([['Programmed', 1]])]]);
  served.set({ objects, expiringCredentials: 1, certificates: [certificate(1)], targets: [target(1, 'healthy')] });
  served.set(nothing);
  for (const name of [
    'latchkey_objects',
    'latchkey_certificate_expiry_timestamp_seconds',
    'kong_upstream_target_health',
  ])
    expect([name, await series(name)]).toEqual([name, []]);
});
