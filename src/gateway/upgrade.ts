import { request as httpRequest, ServerResponse, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ServiceEntry } from '#table/service-entry.ts';
import { sendAnswer } from './answer.ts';
import type { ProxyExchange } from './exchange.ts';
import { upstreamTarget, type ForwardServices } from './forward.ts';
import { clientHeaders, withPluginHeaders } from './response-headers.ts';
import { upstreamHeaders } from './upstream-headers.ts';

/** The only protocol that is switched to; any other Upgrade is dropped, as Kong does (kong-facts 2.3). */
export function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket' && request.method === 'GET';
}

/** A response object on a socket that Node has handed over, so that refusals look as everywhere else. */
export function responseOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0]);
  response.once('finish', () => socket.end());
  return response;
}

/** What Node gave us of the client's connection. */
export interface ClientSocket {
  readonly socket: Duplex;
  /** Bytes that came after the request's head. */
  readonly head: Buffer;
}

function startLine(message: IncomingMessage): string {
  return `HTTP/1.1 ${message.statusCode ?? 101} ${message.statusMessage ?? 'Switching Protocols'}\r\n`;
}

function headerLines(headers: readonly string[]): string {
  let lines = '';
  for (let i = 0; i < headers.length; i += 2) lines += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return lines;
}

/** Joins two connections for as long as both live; either's end is the other's. */
function join(a: Duplex, b: Duplex): void {
  a.pipe(b);
  b.pipe(a);
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
}

/**
 * Forwards an upgrade on a connection of its own, never one of the pool: after the switch nobody can say
 * where a request ends. The bytes that follow are not looked at.
 */
export function tunnel(
  exchange: ProxyExchange,
  to: { readonly service: ServiceEntry; readonly client: ClientSocket },
  requestId: string,
  services: ForwardServices,
): void {
  const { response } = exchange;
  const choice = services.balancer.choose(to.service, exchange);
  const target = to.service.policy === undefined ? services.balancer.next(to.service) : choice?.target;
  const sentAtMs = performance.now();
  const extras = () => ({
    requestId,
    server: services.server,
    via: services.hop.via,
    upstreamLatencyMs: Math.round(performance.now() - sentAtMs),
    proxyLatencyMs: Math.round(sentAtMs - exchange.receivedAtMs),
  });
  const refuse = (status: number, message: string): void =>
    sendAnswer(
      response,
      { status, message, isLast: true },
      {
        accept: exchange.request.headers.accept,
        isHead: false,
        requestId,
        server: services.server,
        latencyMs: Math.round(performance.now() - exchange.receivedAtMs),
        pluginHeaders: exchange.responseHeaders,
      },
    );
  if (target === undefined) return refuse(503, 'failure to get a peer from the ring-balancer');
  const headers = upstreamHeaders(exchange, { service: to.service, target }, requestId, services.hop);
  const outgoing = httpRequest({
    host: target.host,
    port: target.port,
    method: 'GET',
    path: upstreamTarget(exchange, to.service),
    headers: [...headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
    agent: false,
    setHost: false,
    timeout: to.service.readTimeoutMs,
  });
  const { socket, head } = to.client;
  const giveUp = (): void => void outgoing.destroy();
  socket.once('close', giveUp);
  socket.once('close', () => choice?.release());
  outgoing.once('error', () => {
    if (!socket.destroyed) choice?.observed('connect');
    refuse(502, 'An invalid response was received from the upstream server');
  });
  outgoing.once('timeout', () => {
    choice?.observed('timeout');
    refuse(504, 'The upstream server is timing out');
    outgoing.destroy();
  });
  outgoing.once('response', (answer) => {
    choice?.observed(answer.statusCode ?? 502);
    response.writeHead(
      answer.statusCode ?? 502,
      answer.statusMessage,
      withPluginHeaders(clientHeaders(answer.rawHeaders, extras()).headers, exchange.responseHeaders),
    );
    answer.pipe(response);
  });
  outgoing.once('upgrade', (answer, upstreamSocket, upstreamHead) => {
    socket.off('close', giveUp);
    upstreamSocket.setTimeout(0);
    response.detachSocket(socket as Parameters<ServerResponse['detachSocket']>[0]);
    const kept = clientHeaders(answer.rawHeaders, extras()).headers;
    socket.write(`${startLine(answer)}Connection: Upgrade\r\nUpgrade: websocket\r\n${headerLines(kept)}\r\n`, 'latin1');
    if (upstreamHead.byteLength > 0) socket.write(upstreamHead);
    if (head.byteLength > 0) upstreamSocket.write(head);
    join(socket, upstreamSocket);
  });
  outgoing.end();
}
