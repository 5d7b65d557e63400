/** An upstream of HTTP/2 whose frames a test writes by hand, for what no library would send. */
import { EventEmitter, once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { onTestFinished } from 'vitest';
import { fieldBlock, flags, frame, framesIn, setting, word, type SeenFrame } from './http2-frames.ts';
import { serverPair } from './signed-certificates.ts';
import { until } from './until.ts';

const prefaceBytes = 24;

/** Bodies come whole: nobody widens windows here as they are read. */
const wide = 2 ** 24;

/** One connection as the upstream has it. */
export interface FrameConnection {
  readonly socket: Socket;
  /** What came on it. */
  readonly seen: SeenFrame[];
  /** Whether SETTINGS and PING are acknowledged; a test may end that. */
  isAlive: boolean;
  send(...frames: readonly (Buffer | string)[]): void;
}

/** What the upstream does on a connection, or to a request. */
export type FrameAct = (connection: FrameConnection, stream: number) => void;

/** HEADERS of an answer in one frame. */
export const head = (
  stream: number,
  fields: readonly (readonly [string, string])[] = [[':status', '200']],
  flag = 0,
): Buffer => frame('HEADERS', { flag: flag | flags.END_HEADERS, stream }, fieldBlock(fields));

/** DATA that ends an answer. */
export const lastData = (stream: number, text = 'ok'): Buffer =>
  frame('DATA', { flag: flags.END_STREAM, stream }, text);

/** 200 with this body. */
export const answer =
  (text = 'ok'): FrameAct =>
  ({ send }, stream) =>
    send(head(stream), lastData(stream, text));

/** What every connection begins with (RFC 9113 section 3.4); no table of fields is kept. */
export const serverPreface = (...settings: readonly Buffer[]): Buffer =>
  frame('SETTINGS', {}, Buffer.concat([setting(1, 0), ...settings]));

/** What an upstream does; what there is no act for goes as it should, a request is answered 200 `ok`. */
export interface FrameScript {
  /** To each connection in turn, in place of the preface. */
  readonly onConnection?: readonly (((connection: FrameConnection) => void) | undefined)[];
  /** To the head of each request in turn. */
  readonly onHead?: readonly (FrameAct | undefined)[];
  /** To each request in the turn of their heads, once it has come whole. */
  readonly onRequest?: readonly (FrameAct | undefined)[];
  /** To every whole request that there is no act for in turn. */
  readonly otherwise?: FrameAct;
}

/** A request that has come. */
interface SeenRequest {
  readonly connection: FrameConnection;
  readonly stream: number;
}

/** What is agreed on over TLS; `none`: the server does not know of ALPN. */
export type Alpn = 'h2' | 'http/1.1' | 'none';

function tlsServer(alpn: Alpn, serve: (socket: Socket) => void) {
  const pair = { cert: serverPair.certificate, key: serverPair.privateKey };
  return createTlsServer({ ...pair, ...(alpn === 'none' ? {} : { ALPNProtocols: [alpn] }) }, serve);
}

/** Over TLS where it is said what is agreed on, else over TCP. It ends with the test. */
export async function frameUpstream(script: FrameScript = {}, alpn?: Alpn) {
  const events = new EventEmitter();
  const connections: FrameConnection[] = [];
  const requests: SeenRequest[] = [];
  const heads: SeenRequest[] = [];

  const act = (connection: FrameConnection, { type, flag, stream }: SeenFrame): void => {
    if (type === 'HEADERS') {
      heads.push({ connection, stream });
      script.onHead?.[heads.length - 1]?.(connection, stream);
    }
    if ((type !== 'HEADERS' && type !== 'DATA') || (flag & flags.END_STREAM) === 0) return;
    requests.push({ connection, stream });
    const at = heads.findIndex((one) => one.connection === connection && one.stream === stream);
    (script.onRequest?.[at] ?? script.otherwise ?? answer())(connection, stream);
  };

  const receive = (connection: FrameConnection, seen: SeenFrame): void => {
    const { type, flag, payload } = seen;
    connection.seen.push(seen);
    const isAck = (flag & flags.ACK) !== 0;
    if (connection.isAlive && type === 'SETTINGS' && !isAck) connection.send(frame('SETTINGS', { flag: flags.ACK }));
    else if (connection.isAlive && type === 'PING' && !isAck)
      connection.send(frame('PING', { flag: flags.ACK }, payload));
    else act(connection, seen);
  };

  const serve = (socket: Socket): void => {
    let rest: Buffer = Buffer.alloc(0);
    let hasPreface = false;
    const send = (...frames: readonly (Buffer | string)[]): void => {
      if (!socket.destroyed) socket.write(Buffer.concat(frames.map((one) => Buffer.from(one))));
    };
    const connection: FrameConnection = { socket, seen: [], isAlive: true, send };
    connections.push(connection);
    socket.on('error', () => undefined);
    socket.on('close', () => events.emit('seen'));
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      if (!hasPreface && rest.byteLength < prefaceBytes) return;
      const frames = framesIn(hasPreface ? rest : rest.subarray(prefaceBytes));
      hasPreface = true;
      let next = frames.next();
      for (; next.done !== true; next = frames.next()) receive(connection, next.value);
      rest = next.value;
      events.emit('seen');
    });
    const onConnection = script.onConnection?.[connections.length - 1];
    if (onConnection === undefined) send(serverPreface(setting(4, wide)), frame('WINDOW_UPDATE', {}, word(wide)));
    else onConnection(connection);
    events.emit('seen');
  };

  const server = alpn === undefined ? createServer({ noDelay: true }, serve) : tlsServer(alpn, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const { socket } of connections) socket.destroy();
    server.close();
  });

  return {
    port: (server.address() as AddressInfo).port,
    connections,
    /** Those whose head has come. */
    heads,
    /** Those that have come whole. */
    requests,
    /** Resolves once that holds of what has come. */
    async until(what: string, holds: () => boolean, deadlineMs = 30_000): Promise<void> {
      await until({
        what,
        holds,
        subscribe: (check) => {
          events.on('seen', check);
          return () => events.off('seen', check);
        },
        deadlineMs, // by default half of the time after which the gateway gives an endpoint up anyway
      });
    },
  };
}
