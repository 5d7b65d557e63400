/**
 * A gateway with one worker and a table of so many keys and routes, put there without objects: the control side of a
 * million of them is the bench `scale`, here it is what a request costs.
 */
import pino from 'pino';
import { randomBytes } from 'node:crypto';
import { createPool } from '#gateway/pool.ts';
import { digestSecretBytes, makeDigest } from '#table/digest.ts';
import { createTable } from '#table/table.ts';
import type { TableEntry } from '#table/table-entry.ts';
import { proxySettings } from '../test/support/proxy-settings.ts';

/** Port to listen on, port of the upstream, how many keys, routes, and hosts that the routes go round. */
const [port = 0, upstreamPort = 0, keys = 1, routes = 1, hosts = 1] = process.argv.slice(2).map(Number);

const digestSecret = randomBytes(digestSecretBytes);
const digest = makeDigest(digestSecret);
const table = createTable();

const shared: readonly TableEntry[] = [
  {
    kind: 'service',
    key: 'service:default/bench/80',
    targets: [{ host: '127.0.0.1', port: upstreamPort }],
    path: '/',
    retries: 5,
    connectTimeoutMs: 60_000,
    writeTimeoutMs: 60_000,
    readTimeoutMs: 60_000,
  },
  {
    kind: 'plugin',
    key: 'plugin:KongPlugin/default/key-auth',
    type: 'key-auth',
    isEnabled: true,
    config: {
      key_names: ['apikey'],
      key_in_header: true,
      key_in_query: true,
      key_in_body: false,
      hide_credentials: false,
      run_on_preflight: true,
    },
    consumers: {},
  },
];

const routeAt = (i: number): TableEntry => ({
  kind: 'route',
  key: `route:default/ingress-${i}/0/0`,
  name: `default/ingress-${i}`,
  host: `tenant-${i % hosts}.example.com`,
  path: { type: 'prefix', value: `/bench/${i}` },
  rank: `2026-01-01T00:00:00.000Z|default/ingress-${i}`,
  service: 'service:default/bench/80',
  plugins: [{ type: 'key-auth', candidates: [{ key: 'plugin:KongPlugin/default/key-auth', scope: 'route' }] }],
  stripPath: false,
  preserveHost: true,
});

function credentialAt(i: number): TableEntry {
  const id = `00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`;
  return {
    kind: 'credential',
    key: `credential:${i}`,
    digest: digest('key-auth', `key-${i}`).toString('base64url'),
    credentialId: id,
    consumer: { id, namespace: 'default', username: `consumer-${i}` },
  };
}

const batch = 50_000;
table.apply({ put: shared, remove: [] });
for (let from = 0; from < Math.max(keys, routes); from += batch) {
  const numbers = Array.from({ length: batch }, (_, i) => from + i);
  const put = [...numbers.filter((i) => i < routes).map(routeAt), ...numbers.filter((i) => i < keys).map(credentialAt)];
  table.apply({ put, remove: [] });
}

const pool = createPool({
  workers: 1,
  settings: {
    listen: { host: '127.0.0.1', port },
    digestSecret,
    log: { level: 'silent', format: 'json' },
    proxy: proxySettings(),
    version: '0.0.0',
  },
  snapshot: () => table.snapshot(),
  log: pino({ level: 'silent' }),
  onStart: () => undefined,
  onReport: () => undefined,
  onRestart: () => undefined,
  onHang: () => undefined,
  hangTimeoutMs: 0,
});
await pool.open();
