import type { ClientRequest, IncomingMessage, RequestOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { request as httpRequest, ServerResponseClass } from './node-http.ts';
import type { AnswerSource } from '#telemetry/traffic-figures.ts';
import type { ServiceEntry, Target } from '#table/service-entry.ts';
import { sendAnswer } from './answer.ts';
import type { Choice } from './balanced-service.ts';
import type { ProxyExchange } from './exchange.ts';
import { upstreamTarget, type ForwardServices } from './forward.ts';
import { clientHeaders, withPluginHeaders } from './response-headers.ts';
import type { ResolvedTarget } from './upstream.ts';
import { upstreamHeaders } from './upstream-headers.ts';
import { connectTimeoutCode, connectTls, serverNameOf } from './upstream-tls.ts';

/** The only protocol that is switched to; any other Upgrade is dropped, as Kong does (kong-facts 2.3). */
export function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket' && request.method === 'GET';
}

/** A response object on a socket that Node has handed over, so that refusals look as everywhere else. */
export function responseOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponseClass(request);
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
  /** As `responseOn` made it. */
  readonly response: ServerResponse;
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

/** An upgrade on its way to one target. */
interface Upgrade {
  readonly exchange: ProxyExchange;
  readonly service: ServiceEntry;
  readonly client: ClientSocket;
  readonly requestId: string;
  readonly services: ForwardServices;
  readonly sentAtMs: number;
  /** The target as the service's policy chose it; undefined when it has none. */
  readonly choice: Choice | undefined;
}

/** Counts what became of an upgrade, as soon as that is known. */
function count({ exchange, services, sentAtMs }: Upgrade, source: AnswerSource, status: number): void {
  const { match, identity, receivedAtMs } = exchange;
  const now = performance.now();
  services.traffic.of(match.route, identity?.consumer).answered(source, status, {
    requestMs: now - receivedAtMs,
    upstreamMs: source === 'service' ? now - sentAtMs : undefined,
    gatewayMs: sentAtMs - receivedAtMs,
    ingressBytes: 0,
    egressBytes: 0,
  });
}

function refuse(upgrade: Upgrade, status: number, message: string): void {
  const { exchange, requestId, services } = upgrade;
  count(upgrade, 'error', status);
  sendAnswer(
    exchange.response,
    { status, message, isLast: true, ...(status === 503 ? {} : { raisedBy: 'nginx' }) },
    {
      accept: exchange.request.headers.accept,
      isHead: false,
      requestId,
      server: services.server,
      shown: services.headers,
      latencyMs: Math.round(performance.now() - exchange.receivedAtMs),
      pluginHeaders: exchange.responseHeaders,
    },
  );
}

/** The headers of the upstream's answer as the client gets them. */
function answerHeaders({ exchange, requestId, services, sentAtMs }: Upgrade, answer: IncomingMessage) {
  const { headers } = clientHeaders(answer.rawHeaders, {
    requestId,
    server: services.server,
    via: services.hop.via,
    shown: services.headers,
    upstreamStatus: answer.statusCode ?? 502,
    upstreamLatencyMs: Math.round(performance.now() - sentAtMs),
    proxyLatencyMs: Math.round(sentAtMs - exchange.receivedAtMs),
  });
  return headers;
}

/** Nothing is written on a connection over TLS before it is verified. */
function connectionBy(service: ServiceEntry, target: ResolvedTarget, host: string): Pick<RequestOptions, 'agent'> {
  const { tls, connectTimeoutMs: timeoutMs } = service;
  if (tls === undefined) return { agent: false };
  const peer = { host: target.host, port: target.port, serverName: serverNameOf(host), timeoutMs };
  const createConnection: RequestOptions['createConnection'] = (_, done) => {
    connectTls(peer, tls, (error, socket) => done(error, socket as Duplex));
    return undefined;
  };
  return { createConnection } as Pick<RequestOptions, 'agent'>;
}

/** Gives a request up that has no connection in time; one over TLS has such a limit of its own. */
function limitConnecting(outgoing: ClientRequest, timeoutMs: number): void {
  const late = Object.assign(new Error('connecting took too long'), { code: connectTimeoutCode });
  const timer = setTimeout(() => outgoing.destroy(late), timeoutMs);
  const done = (): void => clearTimeout(timer);
  outgoing.once('close', done).once('error', done);
  outgoing.once('socket', (socket) => socket.once('connect', done));
}

/** The request as it goes out, with a limit to the time in which it connects. */
function openRequest(upgrade: Upgrade, original: Target, target: ResolvedTarget): ClientRequest {
  const { exchange, service, requestId, services } = upgrade;
  const headers = upstreamHeaders(exchange, { service, target: original }, requestId, services.hop);
  const outgoing = httpRequest({
    host: target.host,
    port: target.port,
    method: 'GET',
    path: upstreamTarget(exchange, service),
    headers: [...headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
    ...connectionBy(service, target, headers[1] ?? ''),
    setHost: false,
    timeout: service.readTimeoutMs,
  });
  if (service.tls === undefined) limitConnecting(outgoing, service.connectTimeoutMs);
  return outgoing;
}

function switchProtocols(
  upgrade: Upgrade,
  answer: IncomingMessage,
  upstreamSocket: Socket,
  upstreamHead: Buffer,
): void {
  const { socket, head, response } = upgrade.client;
  upstreamSocket.setTimeout(0);
  count(upgrade, 'service', 101);
  response.detachSocket(socket as Parameters<ServerResponse['detachSocket']>[0]);
  const kept = headerLines(answerHeaders(upgrade, answer));
  socket.write(`${startLine(answer)}Connection: Upgrade\r\nUpgrade: websocket\r\n${kept}\r\n`, 'latin1');
  if (upstreamHead.byteLength > 0) socket.write(upstreamHead);
  if (head.byteLength > 0) upstreamSocket.write(head);
  join(socket, upstreamSocket);
}

function sendUpgrade(upgrade: Upgrade, original: Target, target: ResolvedTarget): void {
  const { exchange, client, choice } = upgrade;
  const { response } = client;
  const outgoing = openRequest(upgrade, original, target);
  const giveUp = (): void => void outgoing.destroy();
  client.socket.once('close', giveUp);
  outgoing.once('error', ({ code }: NodeJS.ErrnoException) => {
    const isLate = code === connectTimeoutCode;
    if (!client.socket.destroyed) choice?.observed(isLate ? 'connect-timeout' : 'connect');
    if (isLate) refuse(upgrade, 504, 'The upstream server is timing out');
    else refuse(upgrade, 502, 'An invalid response was received from the upstream server');
  });
  outgoing.once('timeout', () => {
    choice?.observed('timeout');
    refuse(upgrade, 504, 'The upstream server is timing out');
    outgoing.destroy();
  });
  outgoing.once('response', (answer) => {
    choice?.observed(answer.statusCode ?? 502);
    count(upgrade, 'service', answer.statusCode ?? 502);
    const headers = withPluginHeaders(answerHeaders(upgrade, answer), exchange.responseHeaders);
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', headers);
    answer.pipe(response);
  });
  outgoing.once('upgrade', (answer, upstreamSocket, upstreamHead) => {
    client.socket.off('close', giveUp);
    switchProtocols(upgrade, answer, upstreamSocket, upstreamHead);
  });
  outgoing.end();
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
  const choice = services.balancer.choose(to.service, exchange);
  const target = to.service.policy === undefined ? services.balancer.next(to.service) : choice?.target;
  const upgrade = { exchange, ...to, requestId, services, sentAtMs: performance.now(), choice };
  to.client.socket.once('close', () => choice?.release());
  if (to.client.socket.destroyed) choice?.release();
  if (target === undefined) return refuse(upgrade, 503, 'failure to get a peer from the ring-balancer');
  const sendTo = (address: string | undefined): void => {
    if (to.client.socket.destroyed) return;
    if (address === undefined) choice?.observed('name');
    if (address === undefined) return refuse(upgrade, 503, 'name resolution failed');
    sendUpgrade(upgrade, target, { ...target, host: address });
  };
  const address = target.isName === true ? services.names.next(target.host) : target.host;
  if (address instanceof Promise) void address.then(sendTo);
  else sendTo(address);
}
