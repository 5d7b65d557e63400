import type { Server } from 'node:http';
import { startPipeline, type Pipeline } from '#pipeline.ts';
import type { ListenAddress } from '#gateway/messages.ts';
import type { Readiness } from '#admin/probes.ts';
import { createLog, type Logger, type LogSettings } from '#telemetry/log.ts';
import { createMetrics, type Metrics } from '#telemetry/metrics.ts';
import { translateSettingsOf } from './meaning-options.ts';
import { connectionsByFiles } from './open-files.ts';
import type { ServeOptions } from './options.ts';
import { proxySettingsOf } from './proxy-options.ts';
import type { SourceSetup } from './source-setup.ts';
import { keepReturningMemory } from '#gateway/return-memory.ts';
import { UsageError } from './usage-error.ts';
import { version } from './version.ts';

/** Everything that serves, started. */
export interface Serving {
  readonly pipeline: Pipeline;
  /** Fails readiness, waits `drainDelayMs`, finishes what is under way, stops. */
  stop(): Promise<void>;
}

/** Says of an error at start what a person can do about it. */
function explain(error: unknown, what: string, address: ListenAddress | undefined): UsageError {
  const { code, message } = error as NodeJS.ErrnoException;
  const place = address === undefined ? '' : ` ${address.host}:${address.port}`;
  if (code === 'EADDRINUSE') return new UsageError(`${what}: the address${place} is already taken by another program`);
  if (code === 'EACCES') return new UsageError(`${what}: listening on${place} is not permitted`);
  return new UsageError(`${what}: ${message}`);
}

async function listen(server: Server, address: ListenAddress, what: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, what, address)));
    server.listen(address, resolve);
  });
}

/** Everything that serves, as far as it has been started. */
interface Starting {
  readonly setup: SourceSetup;
  readonly options: ServeOptions;
  readonly metrics: Metrics;
  readonly servers: { close(): Promise<unknown> }[];
  pipeline: Pipeline | undefined;
  isDraining: boolean;
}

/** The flag and address of the listener that an error at start is about; none if it is about no address. */
function listenerOf(error: unknown, { proxyListen, httpsListen }: ServeOptions) {
  const { code, port } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') return undefined;
  return httpsListen !== 'off' && port === httpsListen.port
    ? { what: '--https-listen', address: httpsListen }
    : { what: '--proxy-listen', address: proxyListen };
}

/** Listeners share their ports with other threads: on one port half of the connections would get the wrong one. */
function refuseOnePortForTwo({ proxyListen, httpsListen }: ServeOptions): void {
  if (httpsListen === 'off' || httpsListen.port === 0 || httpsListen.port !== proxyListen.port) return;
  throw new UsageError(`--https-listen: the port ${httpsListen.port} is that of --proxy-listen`);
}

async function startProxy({ setup, options, metrics }: Starting, log: Logger): Promise<Pipeline> {
  refuseOnePortForTwo(options);
  const { httpsListen } = options;
  const byFiles = connectionsByFiles(options, log);
  try {
    return await startPipeline({
      ...setup,
      translate: translateSettingsOf(options),
      listen: options.proxyListen,
      ...(httpsListen === 'off' ? {} : { httpsListen }),
      workers: options.workers,
      workerHangTimeoutMs: options.workerHangTimeoutMs,
      sharesPorts: options.reusePort,
      proxy: { ...proxySettingsOf(options), ...(byFiles === undefined ? {} : { connectionsByFiles: byFiles }) },
      log,
      logSettings: logSettingsOf(options),
      metrics,
      version,
    });
  } catch (error) {
    const listener = listenerOf(error, options);
    throw explain(error, listener?.what ?? setup.flag, listener?.address);
  }
}

/** Ready is who serves the whole table, be it with fewer workers. What does not keep it from that is told with it. */
function readinessOf({ setup, options, pipeline, isDraining }: Starting): Readiness {
  const problems = setup.problems();
  if (isDraining) return { ready: false, reason: 'draining' };
  if (pipeline === undefined) return { ready: false, reason: ['starting', ...problems].join('\n') };
  const serving = pipeline.serving();
  const lack = `${serving} of ${options.workers} workers serve; the others are being replaced`;
  if (serving === 0) return { ready: false, reason: lack };
  return { ready: true, notes: serving === options.workers ? problems : [lack, ...problems] };
}

async function startStatusServer(starting: Starting): Promise<void> {
  const { options, metrics, servers } = starting;
  if (options.statusListen === 'off') return;
  const { createStatusServer } = await import('#admin/probes.ts');
  const server = createStatusServer({
    readiness: () => readinessOf(starting),
    async metrics() {
      await starting.pipeline?.collect();
      return { contentType: metrics.registry.contentType, body: await metrics.registry.metrics() };
    },
  });
  await listen(server, options.statusListen, '--status-listen');
  servers.push({ close: async () => server.close() });
}

async function startAdminServer({ setup, options, servers }: Starting, pipeline: Pipeline): Promise<void> {
  const address = options.adminListen;
  if (address === 'off') return;
  const { createAdminServer } = await import('#admin/server.ts');
  const admin = createAdminServer({
    store: pipeline.store,
    source: pipeline.source,
    settled: pipeline.settled,
    ingressClass: options.ingressClass,
    writes: options.adminWrites ?? setup.adminWrites,
    namespace: setup.adminNamespace,
    version,
    now: () => new Date(),
    digest: (type, secret) => pipeline.digest(type, secret).toString('base64url'),
    ...(pipeline.lastUsed === undefined ? {} : { lastUsedMs: pipeline.lastUsed.find }),
  });
  await admin.listen(address).catch((error: unknown) => {
    throw explain(error, '--admin-listen', address);
  });
  servers.push(admin);
}

async function drain(starting: Starting): Promise<void> {
  const { options, servers, pipeline } = starting;
  starting.isDraining = true;
  if (options.drainDelayMs > 0) pipeline?.leave();
  await new Promise((resolve) => setTimeout(resolve, pipeline === undefined ? 0 : options.drainDelayMs));
  await pipeline?.stop(options.drainTimeoutMs);
  await Promise.all(servers.map(async (server) => server.close()));
}

const logSettingsOf = ({ logLevel, logFormat }: ServeOptions): LogSettings => ({ level: logLevel, format: logFormat });

/** How a command that serves tells what it does. */
export interface Telemetry {
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** See `Telemetry`. */
export const createTelemetry = async (options: ServeOptions): Promise<Telemetry> => ({
  log: await createLog(logSettingsOf(options)),
  metrics: createMetrics({ version }),
});

/**
 * Serves. Probes come first where objects are far away, so that they can tell what is waited for; from a
 * directory the proxy does, which is there sooner than a probe could ask.
 */
export async function serve(setup: SourceSetup, options: ServeOptions, telemetry: Telemetry): Promise<Serving> {
  const { log, metrics } = telemetry;
  const starting: Starting = {
    setup,
    options,
    metrics,
    servers: [],
    pipeline: undefined,
    isDraining: false,
  };
  const stop = async (): Promise<void> => drain(starting);
  const { isRemote } = setup;
  try {
    if (isRemote) await startStatusServer(starting);
    const pipeline = await startProxy(starting, log);
    starting.pipeline = pipeline;
    if (!isRemote) await startStatusServer(starting);
    await startAdminServer(starting, pipeline);
    keepReturningMemory();
    return { pipeline, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves when the process is told to end; a second signal ends it at once. */
export async function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        resolve(signal);
      });
    }
  });
}
