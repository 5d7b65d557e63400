import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { request as httpRequest } from './node-http.ts';
import type { AnswerSource } from '#telemetry/traffic-figures.ts';
import type { ConsumerIdentity } from '#table/consumer-identity.ts';
import type { RouteEntry } from '#table/route-entry.ts';
import type { ServiceEntry, Target } from '#table/service-entry.ts';
import { sendAnswer, type Answer } from './answer.ts';
import { untriedTarget } from './balance.ts';
import type { Choice } from './balanced-service.ts';
import type { ExchangeServices, ProxyExchange } from './exchange.ts';
import { faultAnswers } from './fault-answer.ts';
import { upstreamTarget, type ForwardServices } from './forward.ts';
import { fieldLines } from './http1-outgoing.ts';
import { Http1Response } from './http1-response.ts';
import type { OpenTunnels } from './open-tunnels.ts';
import { clientHeaders, withPluginHeaders } from './response-headers.ts';
import type { RouteCounts, Traffic } from './traffic.ts';
import { rememberAccess, type Recheck } from './tunnel-access.ts';
import { endGently, Tunnel, type TunnelParts } from './tunnel.ts';
import { mostInterims, type UpstreamFault } from './upstream.ts';
import { upstreamHeaders } from './upstream-headers.ts';
import { connectAlone } from './upstream-socket.ts';
import { connectTimeoutCode, serverNameOf } from './upstream-tls.ts';

/** The only protocol that is switched to; any other Upgrade is dropped, as Kong does (kong-facts 2.3). */
export function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket' && request.method === 'GET';
}

/**
 * A response object on a socket that Node has handed over, so that refusals look as everywhere else. What listens to the
 * socket may know of nothing else: it stays for as long as a tunnel does.
 */
export function responseOn(request: IncomingMessage, socket: Socket): Http1Response {
  socket.on('error', () => socket.destroy());
  const response = new Http1Response(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => endGently(socket));
  return response;
}

/** What Node gave us of the client's connection. */
interface ClientSocket {
  readonly socket: Socket;
  /** Bytes that came after the request's head. */
  readonly head: Buffer;
  /** As `responseOn` made it. */
  readonly response: Http1Response;
}

/** What an upgrade needs to know of the worker. */
type UpgradeServices = ForwardServices & Pick<ExchangeServices, 'table'>;

/** Where an upgrade goes, and who asks for it. */
export interface UpgradeParts {
  readonly service: ServiceEntry;
  readonly client: ClientSocket;
  /** Where the tunnel is kept that becomes of it. */
  readonly tunnels: Pick<OpenTunnels, 'open'>;
}

function startLine(message: IncomingMessage): string {
  return `HTTP/1.1 ${message.statusCode ?? 101} ${message.statusMessage ?? 'Switching Protocols'}\r\n`;
}

/** Reads of a client, 64 KiB at most each, before it is answered. */
const mostEarly = 2;

/** What the fault of a connection that could not be made was. */
const connectFault = ({ code }: NodeJS.ErrnoException): UpstreamFault =>
  code === connectTimeoutCode ? 'connect-timeout' : 'connect';

/** Node's parser names what it refuses `HPE_…`. */
const requestFault = ({ code = '' }: NodeJS.ErrnoException): UpstreamFault =>
  code.startsWith('HPE_') ? 'invalid' : 'closed';

/** Where an upgrade is counted, at any time: the counters of a route are others once they have been told. */
const countsOf = (traffic: Traffic, route: RouteEntry, consumer: ConsumerIdentity | undefined) => (): RouteCounts =>
  traffic.of(route, consumer);

/**
 * Joins the two ends. A tunnel lives for days: it holds on to nothing of the request, which may have had a key in it.
 */
function openTunnel(
  { counts, ...parts }: Omit<TunnelParts, 'moved'> & { readonly counts: () => RouteCounts },
  choice: Choice | undefined,
): Tunnel {
  parts.client.once('close', () => choice?.release());
  return new Tunnel({ ...parts, moved: (ingressBytes, egressBytes) => counts().moved(ingressBytes, egressBytes) });
}

/**
 * An upgrade on its way to a target, or to the next one. Each goes on a connection of its own, never one of the pool:
 * after the switch nobody can say where a request ends. A class for the same reason as `Forwarding`.
 */
class Upgrade {
  readonly #exchange: ProxyExchange;
  readonly #service: ServiceEntry;
  readonly #client: ClientSocket;
  readonly #tunnels: UpgradeParts['tunnels'];
  readonly #requestId: string;
  readonly #services: UpgradeServices;
  /** What let it in, remembered before anything is waited for; undefined where it is not looked at again. */
  readonly #recheck: Recheck | undefined;
  #target: Target | undefined = undefined;
  /** The target as the service's policy chose it; undefined when it has none. */
  #choice: Choice | undefined = undefined;
  #attempts = 0;
  /** Targets that the upgrade failed on. */
  #tried: readonly Target[] = [];
  #sentAtMs = 0;
  /** What is to be given up when the client leaves. */
  #pending: Socket | ClientRequest | undefined = undefined;
  /** Whether it is known what became of it: nothing that comes after counts. */
  #isSettled = false;
  /** What the client says before it is answered, though it is to wait; read so that its end is seen. */
  readonly #early: Buffer[] = [];
  /** The client went away, or came to its end. */
  readonly #onClose = (): void => this.#leave();
  readonly #onEarly = (chunk: Buffer): void => this.#keep(chunk);

  constructor(
    exchange: ProxyExchange,
    { service, client, tunnels }: UpgradeParts,
    requestId: string,
    services: UpgradeServices,
  ) {
    this.#exchange = exchange;
    this.#service = service;
    this.#client = client;
    this.#tunnels = tunnels;
    this.#requestId = requestId;
    this.#services = services;
    this.#recheck = exchange.proofs === undefined ? undefined : rememberAccess(exchange, services.table);
    client.socket.on('data', this.#onEarly).on('end', this.#onClose).on('close', this.#onClose);
  }

  /** Sends the upgrade to the next target; answers 503 if there is none. */
  start(): void {
    if (this.#client.socket.destroyed) return this.#leave();
    const target = this.#nextTarget();
    if (target === undefined) {
      this.#counts()().failed('no-target');
      return this.#answer({ status: 503, message: 'failure to get a peer from the ring-balancer' });
    }
    this.#target = target;
    this.#attempts += 1;
    this.#sentAtMs = performance.now();
    const address = target.isName === true ? this.#services.names.next(target.host) : target.host;
    if (address instanceof Promise) void address.then((found) => this.#connect(target, found));
    else this.#connect(target, address);
  }

  #nextTarget(): Target | undefined {
    const { balancer } = this.#services;
    if (this.#service.policy === undefined) return untriedTarget(balancer, this.#service, this.#tried);
    this.#choice?.release();
    this.#choice = balancer.choose(this.#service, this.#exchange, this.#choice);
    return this.#choice?.target;
  }

  #keep(chunk: Buffer): void {
    if (this.#isSettled) return;
    this.#early.push(chunk);
    if (this.#early.length === mostEarly) this.#client.socket.pause();
  }

  /** 499 is nginx's for a client that did not wait. */
  #leave(): void {
    this.#choice?.release();
    this.#pending?.destroy();
    this.#settle('error', 499);
  }

  #connect(target: Target, address: string | undefined): void {
    if (this.#isSettled) return;
    if (address === undefined) return this.#fail('name');
    const { tls, connectTimeoutMs: timeoutMs } = this.#service;
    const about = { service: this.#service, target };
    const headers = upstreamHeaders(this.#exchange, about, this.#requestId, this.#services.hop);
    const peer = { host: address, port: target.port, serverName: serverNameOf(headers[1] ?? ''), timeoutMs };
    this.#pending = connectAlone(peer, tls, (error, socket) => {
      if (socket !== null) this.#send(headers, socket);
      else if (error !== null) this.#fail(connectFault(error));
    });
  }

  /** The request as it goes out, once there is a connection, which over TLS has been verified. */
  #send(headers: readonly string[], socket: Socket): void {
    const outgoing = httpRequest({
      method: 'GET',
      path: upstreamTarget(this.#exchange, this.#service),
      headers: [...headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
      createConnection: () => socket,
      setHost: false,
    });
    this.#pending = outgoing;
    socket.setTimeout(this.#service.readTimeoutMs).once('timeout', () => this.#fail('timeout'));
    let interims = 0;
    outgoing.on('information', () => {
      if ((interims += 1) > mostInterims) this.#fail('invalid');
    });
    outgoing.on('error', (error) => this.#fail(requestFault(error)));
    outgoing.once('response', (answer) => this.#decline(answer));
    outgoing.once('upgrade', (answer, upstream, head) => {
      // RFC 6455 section 4.1: whatever else it has switched to, it is not what was asked for.
      const isWanted = answer.headers.upgrade?.toLowerCase() === 'websocket';
      if (isWanted && !this.#isSettled) return this.#switch(answer, upstream, head);
      upstream.destroy();
      this.#fail('invalid');
    });
    outgoing.end();
  }

  /** One that was settled before has ended by itself, or been ended. */
  #fail(fault: UpstreamFault): void {
    if (this.#isSettled) return;
    this.#pending?.destroy();
    this.#pending = undefined;
    this.#choice?.observed(fault);
    this.#counts()().failed(fault);
    if (this.#mayRetry(fault)) {
      this.#counts()().retried();
      if (this.#target !== undefined) this.#tried = [...this.#tried, this.#target];
      return this.start();
    }
    this.#answer(faultAnswers[fault]);
  }

  /** As for a request without a body (forward.ts): GET changes nothing (RFC 9110 section 9.2.1). */
  #mayRetry(fault: UpstreamFault): boolean {
    if (this.#attempts > this.#service.retries) return false;
    return fault === 'connect' || fault === 'connect-timeout' || fault === 'closed';
  }

  /** The upstream does not switch: its answer is passed on as any other. */
  #decline(answer: IncomingMessage): void {
    const { response } = this.#client;
    const status = answer.statusCode ?? 502;
    this.#choice?.observed(status);
    this.#settle('service', status);
    response.writeHead(
      status,
      answer.statusMessage ?? '',
      withPluginHeaders(this.#answerHeaders(answer), this.#exchange.responseHeaders),
    );
    const counts = this.#counts();
    answer.on('data', (chunk: Buffer) => {
      counts().moved(0, chunk.byteLength);
      if (response.write(chunk)) return;
      answer.pause();
      response.once('drain', () => answer.resume());
    });
    // Only a cut connection tells the client that the rest is missing.
    answer.once('error', () => response.destroy());
    answer.once('end', () => response.end());
  }

  #switch(answer: IncomingMessage, upstream: Socket, upstreamHead: Buffer): void {
    const { socket: client, head, response } = this.#client;
    this.#choice?.observed(101);
    this.#settle('service', 101);
    response.detachSocket(client);
    const kept = fieldLines(withPluginHeaders(this.#answerHeaders(answer), this.#exchange.responseHeaders));
    client.write(`${startLine(answer)}Connection: Upgrade\r\nUpgrade: websocket\r\n${kept}\r\n`, 'latin1');
    const { readTimeoutMs } = this.#service;
    const tunnel = openTunnel({ client, upstream, readTimeoutMs, counts: this.#counts() }, this.#choice);
    client.off('data', this.#onEarly).off('end', this.#onClose).off('close', this.#onClose);
    // The table may have changed while the upstream was asked: then nothing that was said goes on.
    const reason = this.#recheck?.();
    if (reason !== undefined) tunnel.close(reason);
    if (upstreamHead.byteLength > 0) tunnel.sendDown(upstreamHead);
    client.resume();
    for (const early of [head, ...this.#early]) if (early.byteLength > 0) tunnel.sendUp(early);
    this.#tunnels.open(tunnel, reason === undefined ? this.#recheck : undefined);
  }

  #counts(): () => RouteCounts {
    return countsOf(this.#services.traffic, this.#exchange.match.route, this.#exchange.identity?.consumer);
  }

  /** Counts what became of it, as soon as that is known, and once. */
  #settle(source: AnswerSource, status: number): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const { receivedAtMs } = this.#exchange;
    const now = performance.now();
    const sentAtMs = this.#sentAtMs === 0 ? now : this.#sentAtMs;
    const figures = {
      requestMs: now - receivedAtMs,
      upstreamMs: source === 'service' ? now - sentAtMs : undefined,
      gatewayMs: sentAtMs - receivedAtMs,
      ingressBytes: 0,
      egressBytes: 0,
    };
    this.#counts()().answered(source, status, figures);
    const exchange = this.#exchange;
    this.#services.accessLog?.answered({
      request: exchange.request,
      exchange,
      requestId: this.#requestId,
      source,
      status,
      figures,
      target: this.#target,
      tries: this.#attempts,
    });
  }

  #answer(answer: Answer): void {
    this.#settle('error', answer.status);
    this.#choice?.release();
    const { request, response, receivedAtMs, responseHeaders } = this.#exchange;
    const egressBytes = sendAnswer(
      response,
      { ...answer, isLast: true },
      {
        accept: request.headers.accept,
        isHead: false,
        requestId: this.#requestId,
        server: this.#services.server,
        shown: this.#services.headers,
        latencyMs: Math.round(performance.now() - receivedAtMs),
        pluginHeaders: responseHeaders,
      },
    );
    this.#counts()().moved(0, egressBytes);
  }

  /** The headers of the upstream's answer as the client gets them. */
  #answerHeaders(answer: IncomingMessage): string[] {
    const { hop, server, headers: shown } = this.#services;
    const now = performance.now();
    return clientHeaders(answer.rawHeaders, {
      requestId: this.#requestId,
      server,
      via: hop.via,
      shown,
      upstreamStatus: answer.statusCode ?? 502,
      upstreamLatencyMs: Math.round(now - this.#sentAtMs),
      proxyLatencyMs: Math.round(this.#sentAtMs - this.#exchange.receivedAtMs),
    }).headers;
  }
}

/** Forwards an upgrade, and joins the two connections once the upstream has switched. Never throws. */
export function upgrade(
  exchange: ProxyExchange,
  parts: UpgradeParts,
  requestId: string,
  services: UpgradeServices,
): void {
  new Upgrade(exchange, parts, requestId, services).start();
}
