import type { Server } from 'node:http';
import { startPipeline, type Pipeline } from '#pipeline.ts';
import type { ListenAddress } from '#gateway/messages.ts';
import type { ServeOptions } from './options.ts';
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

async function startProxy(dir: string, options: ServeOptions): Promise<Pipeline> {
  try {
    return await startPipeline({
      openSource: async () => {
        const { directorySource } = await import('#source/directory.ts');
        return directorySource(dir);
      },
      translate: { ingressClass: options.ingressClass },
      listen: options.proxyListen,
      workers: options.workers,
      log: { level: options.logLevel, format: options.logFormat },
      version,
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isAddress = code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL';
    throw explain(error, isAddress ? '--proxy-listen' : '--dir', isAddress ? options.proxyListen : undefined);
  }
}

/** Serves a directory: the proxy first, then the Admin API and the probes. */
export async function serve(dir: string, options: ServeOptions): Promise<Serving> {
  const pipeline = await startProxy(dir, options);
  let isDraining = false;
  const servers: { close(): Promise<unknown> }[] = [];
  const stop = async (): Promise<void> => {
    isDraining = true;
    await new Promise((resolve) => setTimeout(resolve, options.drainDelayMs));
    await pipeline.stop(options.drainTimeoutMs);
    await Promise.all(servers.map(async (server) => server.close()));
  };
  try {
    if (options.statusListen !== 'off') {
      const { createStatusServer } = await import('#admin/probes.ts');
      const readiness = () =>
        isDraining
          ? { ready: false, reason: 'draining' }
          : pipeline.isServing()
            ? { ready: true }
            : { ready: false, reason: 'a worker is being replaced' };
      const metrics = async () => ({
        contentType: pipeline.metrics.registry.contentType,
        body: await pipeline.metrics.registry.metrics(),
      });
      const server = createStatusServer({ readiness, metrics });
      await listen(server, options.statusListen, '--status-listen');
      servers.push({ close: async () => server.close() });
    }
    if (options.adminListen !== 'off') {
      const { createAdminServer } = await import('#admin/server.ts');
      const admin = createAdminServer({
        store: pipeline.store,
        source: pipeline.source,
        settled: pipeline.settled,
        ingressClass: options.ingressClass,
        version,
        now: () => new Date(),
        digest: (type, secret) => pipeline.digest(type, secret).toString('base64url'),
      });
      const address = options.adminListen;
      await admin.listen(address).catch((error: unknown) => {
        throw explain(error, '--admin-listen', address);
      });
      servers.push(admin);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { pipeline, stop };
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
