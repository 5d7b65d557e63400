import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { KubernetesObject } from '#resources/kind.ts';
import { consumer, ingress, keySecret, plugin, service, slice } from './objects.ts';
import { startRawUpstream } from './raw-upstream.ts';
import { emptyPipeline } from './silent-pipeline.ts';
import { until } from './until.ts';

const none = { created: undefined, isBroken: false };

/** `/` is open; `/guarded` wants a key of bob's, `/hidden` takes it away, `/anonymous` lets in everybody, and
 * `/preflight` whoever asks with OPTIONS. */
function objects(upstreamPort: number): KubernetesObject[] {
  const keyAuth = (name: string, config: object): KubernetesObject =>
    plugin({ name, type: 'key-auth', config, isDisabled: false, isGlobal: false });
  return [
    ingress({ name: 'open', path: '/', service: 's', plugins: [], ...none }),
    ...['guarded', 'hidden', 'anonymous', 'preflight'].map((name) =>
      ingress({ name, path: `/${name}`, service: 's', plugins: [name], ...none }),
    ),
    keyAuth('guarded', {}),
    keyAuth('hidden', { hide_credentials: true, key_names: ['apikey', 'x-key'] }),
    keyAuth('anonymous', { anonymous: 'nobody' }),
    keyAuth('preflight', { run_on_preflight: false }),
    consumer({ name: 'bob', username: 'bob', credentials: ['k'], created: undefined, class: 'kong' }),
    consumer({ name: 'nobody', username: 'nobody', credentials: [], created: undefined, class: 'kong' }),
    keySecret('k', 'bobs-key'),
    service({ name: 's', port: 80, plugins: [] }),
    slice({ name: 's-1', service: 's', address: '127.0.0.1', port: upstreamPort }),
  ];
}

/** What came back on one connection. */
export interface RawAnswer {
  /** Statuses in their order, then `close` if the gateway closed unasked. */
  readonly summary: string;
  readonly text: string;
}

const statusesIn = (text: string): string[] => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => code ?? '');

/** Sends each part once the one before has left. */
async function write(socket: Socket, parts: readonly string[]): Promise<void> {
  for (const part of parts) {
    if (!socket.writable) return;
    await new Promise<void>((resolve) => socket.write(part, 'latin1', () => resolve()));
  }
}

const probe = 'GET /probe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** A connection to the gateway whose bytes a test writes itself. */
function openRaw(port: number) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    socket,
    closed,
    text: () => text,
    write: async (parts: readonly string[]): Promise<void> => write(socket, parts),
    /** Resolves once so many answers have begun, or the connection is closed. */
    async untilAnswers(count: number): Promise<void> {
      await until({
        what: `${count} answers`,
        holds: () => socket.closed || statusesIn(text).length >= count,
        subscribe: (check) => {
          socket.on('data', check).once('close', check);
          return () => socket.off('data', check).off('close', check);
        },
      });
    },
  };
}

/**
 * Sends bytes and tells what came. A connection that is expected to stay open is tried with one more request,
 * which must get its own answer.
 */
export async function exchangeRaw(port: number, parts: readonly string[], expected: string): Promise<RawAnswer> {
  const connection = openRaw(port);
  await connection.write(parts);
  const staysOpen = !expected.endsWith('close');
  if (staysOpen) {
    await connection.untilAnswers(expected.split(' ').length);
    await connection.write([probe]);
  }
  await Promise.race([connection.closed, once(connection.socket, 'never', { signal: AbortSignal.timeout(60_000) })]);
  const statuses = statusesIn(connection.text());
  if (staysOpen && statuses.at(-1) === '200') statuses.pop();
  else statuses.push('close');
  return { summary: statuses.join(' '), text: connection.text() };
}

/** The gateway with the routes of this stage to an upstream on this machine. */
export async function oneUpstream(upstreamPort: number, flags: readonly string[] = []) {
  const { pipeline, source, metrics } = await emptyPipeline(flags);
  source.set(objects(upstreamPort));
  await pipeline.settled();
  return {
    port: pipeline.port,
    httpsPort: pipeline.httpsPort ?? 0,
    /** Takes bob's key away; resolves once every worker knows. */
    async revoke(): Promise<void> {
      source.set(objects(upstreamPort).filter(({ kind }) => kind !== 'Secret'));
      await pipeline.settled();
    },
    /** How many requests and connections were refused, by reason; what a busy worker tells late is in a later answer. */
    async refused(): Promise<Record<string, number>> {
      await pipeline.collect();
      const text = await metrics.registry.getSingleMetricAsString('latchkey_refused_requests_total');
      const counts = text.matchAll(/reason="([^"]+)"\} (\d+)/g);
      return Object.fromEntries([...counts].map(([, reason = '', count]) => [reason, Number(count)]));
    },
    stop: async (): Promise<void> => pipeline.stop(0),
  };
}

/** The gateway with a raw upstream behind it. */
export async function startRawStage(flags: readonly string[] = []) {
  const upstream = await startRawUpstream();
  const gateway = await oneUpstream(upstream.port, flags);
  return {
    port: gateway.port,
    httpsPort: gateway.httpsPort,
    revoke: gateway.revoke,
    refused: gateway.refused,
    /** What the upstream saw of what was sent before, without probes. */
    async seen(): Promise<string> {
      // What is sent now comes after whatever else was on its way.
      await exchangeRaw(gateway.port, ['GET /fence HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'], 'close');
      await upstream.untilSeen('/fence');
      const { requests, partial } = upstream.take();
      return [...requests.filter((request) => !/^GET \/(?:probe|fence) /.test(request)), partial].join('');
    },
    untilPartial: upstream.untilPartial,
    async stop(): Promise<void> {
      await gateway.stop();
      await upstream.close();
    },
  };
}
