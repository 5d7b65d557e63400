/**
 * Tells connections of HTTP/2 from those of HTTP/1.1 before Node's HTTP/1.1 server takes them: over TLS the handshake
 * has settled it (ALPN), without TLS the first bytes tell (RFC 9113 section 3.4).
 */
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** Longer than a request is under way between two machines. */
export const lastWordMs = 1_000;

/** What every client of HTTP/2 sends first. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

type Take = (socket: Socket) => void;

/** Connections that have not said yet what they speak; no server knows of them. */
export interface Undecided {
  /** Closes those that stay silent; a request that is on its way already is served. */
  close(): void;
}

/** Takes the place of what a server does with a new connection; gives what it did. */
function replaceListener(server: HttpServer | HttpsServer, event: 'connection' | 'secureConnection', take: Take): Take {
  const [listener] = server.listeners(event) as [(this: unknown, socket: Socket) => void];
  server.off(event, listener);
  server.on(event, take);
  return (socket) => listener.call(server, socket);
}

/** Sends connections over TLS whose client chose h2 elsewhere. */
export function chooseByAlpn(server: HttpsServer, toHttp2: Take): void {
  const toHttp1 = replaceListener(server, 'secureConnection', (socket) => {
    if ((socket as TLSSocket).alpnProtocol === 'h2') toHttp2(socket);
    else toHttp1(socket);
  });
}

/** `yes` and `no` once it is certain. */
function isPreface(bytes: Buffer): 'yes' | 'no' | 'maybe' {
  const length = Math.min(bytes.byteLength, preface.byteLength);
  if (bytes.compare(preface, 0, length, 0, length) !== 0) return 'no';
  return length === preface.byteLength ? 'yes' : 'maybe';
}

/**
 * Sends connections without TLS that begin as HTTP/2 does elsewhere.
 *
 * @param timeoutMs gives how long a client may send nothing before it is closed, as Node would do
 */
export function chooseByPreface(server: HttpServer, timeoutMs: () => number, toHttp2: Take): Undecided {
  const undecided = new Set<Socket>();
  const hangUp = (socket: Socket) => (): void => void socket.destroy();
  const toHttp1 = replaceListener(server, 'connection', (socket) => {
    let begun: Buffer = Buffer.alloc(0);
    const end = hangUp(socket);
    undecided.add(socket);
    socket.once('close', () => undecided.delete(socket));
    socket.setTimeout(timeoutMs(), end);
    socket.on('error', end);
    socket.on('end', end);
    const receive = (chunk: Buffer): void => {
      begun = begun.byteLength === 0 ? chunk : Buffer.concat([begun, chunk]);
      const verdict = isPreface(begun);
      if (verdict === 'maybe') return;
      undecided.delete(socket);
      socket.off('data', receive).off('error', end).off('end', end).off('timeout', end).setTimeout(0);
      socket.pause();
      socket.unshift(begun);
      // Node's HTTP/2 reads what is held by itself; its HTTP/1.1 waits for it to flow.
      if (verdict === 'yes') return toHttp2(socket);
      toHttp1(socket);
      socket.resume();
    };
    socket.on('data', receive);
  });
  return {
    close() {
      for (const socket of undecided) socket.setTimeout(lastWordMs);
    },
  };
}
