import { EventEmitter, once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { onTestFinished } from 'vitest';
import { endOfRequest } from './raw-upstream.ts';
import { serverPair } from './signed-certificates.ts';
import { until } from './until.ts';

/** What an upstream does on a connection: sends these bytes, or whatever a test writes. */
export type Act = string | ((socket: Socket) => void);

const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Acts on a connection. */
export function perform(act: Act, socket: Socket): void {
  if (typeof act === 'string') socket.write(act, 'latin1');
  else act(socket);
}

/** What an upstream does; what there is no act for is answered 200 `ok`. */
export interface UpstreamScript {
  /** To each connection in turn. */
  readonly onConnection?: readonly (Act | undefined)[];
  /** To the head of each request in turn, once it has come whole. */
  readonly onHead?: readonly (Act | undefined)[];
  /** To each whole request in turn. */
  readonly onRequest?: readonly (Act | undefined)[];
}

/** An upstream on bare TCP, or TLS, that does what it is told. It ends with the test. */
export async function scriptedUpstream(
  { onConnection = [], onHead = [], onRequest = [] }: UpstreamScript = {},
  protocol: 'http' | 'https' = 'http',
) {
  const events = new EventEmitter();
  const connections: Socket[] = [];
  const requests: string[] = [];
  let heads = 0;

  const receive = (socket: Socket, pending: string, fresh: string): string => {
    let rest = pending + fresh;
    if (fresh.includes('\r\n\r\n')) {
      const act = onHead[heads];
      heads += 1;
      if (act !== undefined) perform(act, socket);
    }
    for (let end = endOfRequest(rest); end !== undefined; end = endOfRequest(rest)) {
      requests.push(rest.slice(0, end));
      rest = rest.slice(end);
      perform(onRequest[requests.length - 1] ?? plain, socket);
      events.emit('seen');
    }
    return rest;
  };

  const serve = (socket: Socket): void => {
    let pending = '';
    connections.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => (pending = receive(socket, pending, chunk.toString('latin1'))));
    socket.on('close', () => events.emit('seen'));
    const act = onConnection[connections.length - 1];
    if (act !== undefined) perform(act, socket);
    events.emit('seen');
  };
  const pair = { cert: serverPair.certificate, key: serverPair.privateKey };
  const server = protocol === 'http' ? createServer({ noDelay: true }, serve) : createTlsServer(pair, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });

  return {
    port: (server.address() as AddressInfo).port,
    connections,
    /** Whole requests as they came. */
    requests,
    /** Resolves once that holds of what has come. */
    async until(what: string, holds: () => boolean): Promise<void> {
      await until({
        what,
        holds,
        deadlineMs: 30_000, // half of the time after which the gateway gives an endpoint up anyway
        subscribe: (check) => {
          events.on('seen', check);
          return () => events.off('seen', check);
        },
      });
    },
  };
}
