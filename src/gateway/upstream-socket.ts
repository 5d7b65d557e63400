import { connect, type Socket } from 'node:net';
import type { UpstreamTls } from '#table/service-entry.ts';
import { connectTimeoutCode, connectTls, type TlsPeer } from './upstream-tls.ts';

/** Gives a connection up that is not there in time, with the error that it has over TLS. */
function limitConnecting(socket: Socket, timeoutMs: number): void {
  // Made where it is needed: an error holds on to whoever called, and the listeners below stay.
  const late = (): Error => Object.assign(new Error('connecting took too long'), { code: connectTimeoutCode });
  const timer = setTimeout(() => socket.destroy(late()), timeoutMs);
  for (const event of ['connect', 'close'] as const) socket.once(event, () => clearTimeout(timer));
}

/**
 * A connection of its own to a target, over TLS if its service wants that; told once, with the connection or with why
 * there is none. Nothing has been sent on it. Gives it as it connects, for whoever gives it up.
 */
export function connectAlone(
  peer: TlsPeer,
  tls: UpstreamTls | undefined,
  done: (error: NodeJS.ErrnoException | null, socket: Socket | null) => void,
): Socket {
  if (tls !== undefined) return connectTls(peer, tls, done);
  const socket = connect({ host: peer.host, port: peer.port, noDelay: true, autoSelectFamily: true });
  const fail = (error: Error): void => done(error, null);
  limitConnecting(socket, peer.timeoutMs);
  socket.once('error', fail);
  socket.once('connect', () => {
    socket.off('error', fail);
    done(null, socket);
  });
  return socket;
}
