/** Servers of Node's with our class of responses, or with Node's own, so that what they do can be compared. */
import { once } from 'node:events';
import { createServer, ServerResponse, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { Http1Response } from '#gateway/http1-response.ts';

/** What is asked of both. */
export type Response = Pick<
  Http1Response,
  | 'addTrailers'
  | 'destroy'
  | 'destroyed'
  | 'end'
  | 'flushHeaders'
  | 'headersSent'
  | 'once'
  | 'req'
  | 'writableEnded'
  | 'writableFinished'
  | 'write'
  | 'writeContinue'
  | 'writeHead'
  | 'writeInformation'
>;
export type Answer = (request: IncomingMessage, response: Response) => void;

/** By whose they are. */
const classes = { ours: Http1Response as unknown as typeof ServerResponse, nodes: ServerResponse };

export type Kind = keyof typeof classes;

/** A connection to a server with such responses. */
export async function connectTo(kind: Kind, answer: Answer, keepAliveMs = 0): Promise<Socket> {
  const server = createServer({ ServerResponse: classes[kind], keepAliveTimeout: keepAliveMs }, answer as never);
  server.on('checkContinue', answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  return socket;
}

/** All that comes until the connection ends. */
export async function received(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  await once(socket, 'close', { signal: AbortSignal.timeout(5_000) });
  return text;
}

/** A head of these lines. */
export const head = (start: string, ...fields: string[]): string => `${[start, ...fields].join('\r\n')}\r\n\r\n`;
/** Says that it is the last of its connection. */
const last = head('GET /last HTTP/1.1', 'Host: a', 'Connection: close');
export const empty = ['Content-Length', '0'];

/** All that a server sends to a request, and to one behind it that says that it is the last. */
export async function sent(
  kind: Kind,
  { request, answer, keepAliveMs }: { request: string; answer: Answer; keepAliveMs?: number },
): Promise<string> {
  const serve: Answer = (incoming, response) => {
    if (incoming.url === '/last') response.writeHead(200, 'OK', empty).end();
    else answer(incoming, response);
  };
  const socket = await connectTo(kind, serve, keepAliveMs);
  socket.write(request + last);
  return received(socket);
}

/** Heads of requests. */
export const requests = {
  'HTTP/1.1': head('GET / HTTP/1.1', 'Host: a'),
  'HTTP/1.1 that closes': head('GET / HTTP/1.1', 'Host: a', 'Connection: close'),
  'HTTP/1.0': head('GET / HTTP/1.0', 'Host: a'),
  'HTTP/1.0 that stays': head('GET / HTTP/1.0', 'Host: a', 'Connection: keep-alive'),
  HEAD: head('HEAD / HTTP/1.1', 'Host: a'),
};

/** What two servers sent in two seconds, but for those. */
export const withoutDate = (text: string): string =>
  text.replaceAll(/Date: \w{3}, \d\d \w{3} 20\d\d .{8} GMT/g, 'Date: now');
