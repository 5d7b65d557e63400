/**
 * Tells connections of HTTP/2 from those of HTTP/1.1 before Node's HTTP/1.1 server takes them: over TLS the handshake
 * has settled it (ALPN), without TLS the first bytes tell (RFC 9113 section 3.4).
 */
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { lastWordMs } from './linger.ts';
import { hangUp } from './hang-up.ts';
import { createRestingClients, handOver, type Take } from './resting-clients.ts';

/** What every client of HTTP/2 sends first. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Connections that no server knows of: they have not said yet what they speak, or ask nothing just now. */
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
export function chooseByAlpn(server: HttpsServer, toHttp2: Take): Undecided {
  const http1 = createRestingClients(server, (socket) => toHttp1(socket));
  const toHttp1 = replaceListener(server, 'secureConnection', (socket) => {
    if ((socket as TLSSocket).alpnProtocol === 'h2') toHttp2(socket);
    else http1.serve(socket);
  });
  return http1;
}

/** `yes` and `no` once it is certain. */
function isPreface(bytes: Buffer): 'yes' | 'no' | 'maybe' {
  const length = Math.min(bytes.byteLength, preface.byteLength);
  if (bytes.compare(preface, 0, length, 0, length) !== 0) return 'no';
  return length === preface.byteLength ? 'yes' : 'maybe';
}

/**
 * Sends connections without TLS that begin as HTTP/2 does elsewhere. What listens to them meanwhile is the same for all:
 * there may be many.
 *
 * @param timeoutMs gives how long a client may send nothing before it is closed, as Node would do
 */
export function chooseByPreface(server: HttpServer, timeoutMs: () => number, toHttp2: Take): Undecided {
  const undecided = new Set<Socket>();
  /** What came so far where that is not yet enough. */
  const begun = new Map<Socket, Buffer>();
  const http1 = createRestingClients(server, (socket) => toHttp1(socket));

  function forget(this: Socket): void {
    undecided.delete(this);
    begun.delete(this);
  }

  function receive(this: Socket, chunk: Buffer): void {
    const before = begun.get(this);
    const bytes = before === undefined ? chunk : Buffer.concat([before, chunk]);
    const verdict = isPreface(bytes);
    if (verdict === 'maybe') return void begun.set(this, bytes);
    forget.call(this);
    this.off('data', receive).off('error', hangUp).off('end', hangUp).off('timeout', hangUp).off('close', forget);
    // Node's HTTP/2 reads what is held by itself; its HTTP/1.1 waits for it to flow.
    handOver(this.setTimeout(0), bytes, verdict === 'yes' ? toHttp2 : http1.serve);
  }

  const toHttp1 = replaceListener(server, 'connection', (socket) => {
    undecided.add(socket);
    socket.setTimeout(timeoutMs());
    socket.on('close', forget).on('timeout', hangUp).on('error', hangUp).on('end', hangUp).on('data', receive);
  });

  return {
    close() {
      http1.close();
      for (const socket of undecided) socket.setTimeout(lastWordMs);
    },
  };
}
