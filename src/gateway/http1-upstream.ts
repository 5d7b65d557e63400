import { Connection, type Origin } from './http1-connection.ts';
import { headText } from './http1-outgoing.ts';
import type { PoolSettings } from './proxy-settings.ts';
import {
  originOf,
  originsOf,
  type ResolvedTarget,
  type ResponseListener,
  type UpstreamClient,
  type UpstreamExchange,
  type UpstreamRequest,
} from './upstream.ts';
import type { UpstreamTls } from '#table/service-entry.ts';
import { connectTimeoutCode, connectTls, serverNameOf } from './upstream-tls.ts';

/** Takes out the one used last, which is the least likely to be closed by the other side. */
function takeIdle({ idle }: Origin): Connection | undefined {
  for (let last = idle.pop(); last !== undefined; last = idle.pop()) if (last.isUsable) return last;
  return undefined;
}

/** The same among those that were verified for one name: they prove nothing about another. */
function takeVerified({ idle }: Origin, serverName: string): Connection | undefined {
  for (let i = idle.length - 1; i >= 0; i -= 1) {
    const found = idle[i];
    if (found?.serverName !== serverName || !found.isUsable) continue;
    idle.splice(i, 1);
    return found;
  }
  return undefined;
}

/** A connection over TLS, and the request on it once it has been verified: nothing is sent before. */
function sendVerified(
  target: ResolvedTarget,
  origin: Origin,
  tls: UpstreamTls,
  { request, head, listener }: { request: UpstreamRequest; head: string; listener: ResponseListener },
): UpstreamExchange {
  const serverName = serverNameOf(request.headers[1] ?? ''); // Host stands first
  let connection: Connection | undefined;
  let isOver = false;
  const peer = { host: target.host, port: target.port, serverName, timeoutMs: request.connectTimeoutMs };
  const opening = connectTls(peer, tls, (error, socket) => {
    if (isOver) return void socket?.destroy();
    if (socket === null) {
      isOver = true;
      origin.active -= 1;
      const isLate = error !== null && 'code' in error && error.code === connectTimeoutCode;
      return listener.onFault(isLate ? 'connect-timeout' : 'connect', error ?? new Error('no connection'));
    }
    connection = Connection.over(socket, origin, serverName);
    connection.send(request, head, listener);
  });
  return {
    abort(): void {
      if (connection !== undefined) return connection.abort();
      if (isOver) return;
      isOver = true;
      origin.active -= 1;
      opening.destroy();
    },
    resume: () => connection?.resume(),
  };
}

/**
 * Requests over HTTP/1.1 on connections of our own, with and without TLS: half the cost of undici. It is strict,
 * keeps no request waiting, and gives up whatever it does not understand.
 */
export function http1Upstream(settings: PoolSettings): UpstreamClient {
  const origins = new Map<string, Origin>();
  /** Those without TLS once more: a target stays the same object for as long as its service does. */
  const ofTargets = new WeakMap<ResolvedTarget, Origin>();

  const originFor = (target: ResolvedTarget, tls: UpstreamTls | undefined): Origin => {
    const known = tls === undefined ? ofTargets.get(target) : undefined;
    if (known !== undefined && !known.isRetired) return known;
    const key = `${target.host} ${originOf(target, tls)}`;
    let found = origins.get(key);
    if (found === undefined) origins.set(key, (found = { idle: [], active: 0, isRetired: false, settings }));
    if (tls === undefined) ofTargets.set(target, found);
    return found;
  };

  const retire = (origin: Origin): void => {
    origin.isRetired = true;
    for (const connection of origin.idle.splice(0)) connection.closeIdle();
  };

  return {
    send(target, request, listener) {
      const head = headText(request);
      const { tls } = request;
      const origin = originFor(target, tls);
      origin.active += 1;
      const idle = tls === undefined ? takeIdle(origin) : takeVerified(origin, serverNameOf(request.headers[1] ?? ''));
      if (idle === undefined && tls !== undefined) {
        return sendVerified(target, origin, tls, { request, head, listener });
      }
      const connection = idle ?? Connection.open(target, origin, request.connectTimeoutMs);
      connection.send(request, head, listener);
      return connection;
    },

    retain(services) {
      const kept = originsOf(services);
      for (const [key, origin] of origins) {
        if (kept.has(key.slice(key.indexOf(' ') + 1))) continue;
        origins.delete(key);
        retire(origin);
      }
    },

    stats() {
      let [active, idle] = [0, 0];
      for (const origin of origins.values()) {
        active += origin.active;
        idle += origin.idle.length;
      }
      return { active, idle };
    },

    async close() {
      for (const origin of origins.values()) retire(origin);
      origins.clear();
    },
  };
}
