import type { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { createPool, type PoolOptions } from '#gateway/pool.ts';
import { createTable } from '#table/table.ts';
import type { TrafficReport } from '#telemetry/traffic-figures.ts';
import { send } from './client.ts';
import { freePort } from './free-port.ts';
import { proxySettings } from './proxy-settings.ts';
import { until } from './until.ts';

const route = (name: string) => ({
  kind: 'route' as const,
  key: `route:${name}`,
  name,
  host: '',
  path: { type: 'prefix' as const, value: `/${name}` },
  rank: name,
  service: 'service:none',
  plugins: [],
  stripPath: false,
  preserveHost: true,
});

const service = (port: number) => ({
  kind: 'service' as const,
  key: 'service:none',
  targets: [{ host: '127.0.0.1', port }],
  path: '/',
  retries: 0,
  connectTimeoutMs: 60_000,
  writeTimeoutMs: 60_000,
  readTimeoutMs: 60_000,
});

/** Real workers on a table of routes without services: a route that there is answers 503, all else 404. */
export async function barePool(options: Partial<Pick<PoolOptions, 'workers' | 'hangTimeoutMs' | 'entry'>> = {}) {
  const table = createTable();
  const port = await freePort();
  const threads: Worker[] = [];
  const counts = { restarts: 0, hangs: 0 };
  const said: string[] = [];
  const reports = new Map<number, TrafficReport>();
  const watchers = new Set<() => void>();
  const changed = (): void => watchers.forEach((check) => check());
  const pool = createPool({
    workers: 1,
    hangTimeoutMs: 0,
    ...options,
    settings: {
      listen: { host: '127.0.0.1', port },
      digestSecret: new Uint8Array(32),
      log: { level: 'silent', format: 'json' },
      proxy: proxySettings(),
      version: '0.0.0',
    },
    snapshot: () => table.snapshot(),
    log: pino({ level: 'silent' }),
    onStart: (worker) => {
      threads.push(worker);
      worker.on('message', ({ type }: { readonly type: string }) => {
        said.push(type);
        setImmediate(changed);
      });
    },
    onReport: (worker, report) => void reports.set(worker, report),
    onRestart: () => {
      counts.restarts += 1;
      setImmediate(changed);
    },
    onHang: () => {
      counts.hangs += 1;
      setImmediate(changed);
    },
  });
  onTestFinished(async () => pool.stop(0));
  return {
    pool,
    port,
    /** Every thread that has started, the oldest first. */
    threads,
    counts,
    /** Types of the messages that workers have sent. */
    said,
    /** The last report of each worker. */
    reports,
    /** Puts a route into the table, and its service with one target if there is to be one. */
    put(name: string, targetPort?: number): void {
      const services = targetPort === undefined ? [] : [service(targetPort)];
      const patch = table.apply({ put: [route(name), ...services], remove: [] });
      if (patch !== undefined) pool.publish(patch);
    },
    /** What a new connection is answered. */
    async status(path: string): Promise<number> {
      return (await send({ port, path, headers: [['Connection', 'close']] })).status;
    },
    /** Resolves once it is true; looked at whenever a worker says something or comes to an end. */
    async until(what: string, holds: () => boolean): Promise<void> {
      const subscribe = (check: () => void) => {
        watchers.add(check);
        return () => watchers.delete(check);
      };
      await until({ what, holds, subscribe });
    },
  };
}
