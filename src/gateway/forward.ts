import type { AnswerSource } from '#telemetry/traffic-figures.ts';
import type { RouteEntry } from '#table/route-entry.ts';
import type { ServiceEntry, Target } from '#table/service-entry.ts';
import { sendAnswer, type Answer } from './answer.ts';
import type { AccessLog } from './access-log.ts';
import { untriedTarget, type Balancer } from './balance.ts';
import { copyChunk } from './chunk-memory.ts';
import { bufferedResponse } from './buffered-response.ts';
import type { Choice } from './balanced-service.ts';
import { isGrpc } from './grpc.ts';
import { keptBody, type KeptBody } from './kept-body.ts';
import type { ProxyExchange } from './exchange.ts';
import { asksForTrailers } from './header-class.ts';
import { faultAnswers } from './fault-answer.ts';
import { hasBody, restOfBody } from './request-body.ts';
import { rewrittenPath } from './rewrite.ts';
import { clientHeaders, interimHeaders, withPluginHeaders } from './response-headers.ts';
import type { HeaderSettings } from './proxy-settings.ts';
import type { LimitsInForce } from './limits.ts';
import type { RefusalReason } from './refusal-reason.ts';
import { tooLargeBody, tooManyHeaders, type GuardFault } from './request-guard.ts';
import type { NameResolver } from './resolve.ts';
import { allowedAnnouncement, allowedTrailers } from './trailers.ts';
import { endAtTurnEnd } from './turn-end.ts';
import type { Figures, RouteCounts, Traffic } from './traffic.ts';
import type { ResponseListener, UpstreamClient, UpstreamExchange, UpstreamFault, UpstreamRequest } from './upstream.ts';
import { upstreamHeaders, type HopInfo } from './upstream-headers.ts';
import { rawUpstreamPath, upstreamPath } from './upstream-path.ts';

/** What forwarding needs to know of the worker. */
export interface ForwardServices {
  readonly client: UpstreamClient;
  readonly names: NameResolver;
  readonly balancer: Balancer;
  readonly hop: HopInfo;
  readonly traffic: Traffic;
  /** Undefined where it is off. */
  readonly accessLog?: AccessLog | undefined;
  readonly limits: LimitsInForce;
  /** Told of a body that turned out too large. */
  refused?(reason: RefusalReason): void;
  /** `latchkey/0.1.0`. */
  readonly server: string;
  /** Which of the gateway's own headers answers carry. */
  readonly headers: HeaderSettings;
}

/** Whether an answer without a length may still have a body, and trailers behind it (RFC 9110 section 6.4.1). */
const mayHaveBody = (method: string, status: number): boolean => method !== 'HEAD' && status !== 204 && status !== 304;

function pairsOf(flat: readonly string[]): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i] ?? '', flat[i + 1] ?? '']);
  return pairs;
}

const none: readonly Target[] = [];

/** Up to this size copying a body into the head's write costs less than a second piece. */
const oneWriteBytes = 16 * 1024;

/** Of a body that a route wants read whole first, so much is held; a longer one goes on as it comes. */
const bufferBytes = 8 * 1024 * 1024;

/** RFC 9110 section 9.2.2. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

function forwardedPath(route: RouteEntry, servicePath: string, path: string, strippedLength: number): string {
  if (route.rewrite !== undefined) return rewrittenPath(route, route.rewrite, path);
  const join = route.pathHandling === 'v1' ? rawUpstreamPath : upstreamPath;
  return join(servicePath, path, strippedLength);
}

/** The path and query that the upstream gets. */
export function upstreamTarget(exchange: ProxyExchange, service: ServiceEntry): string {
  const { route, matchedLength } = exchange.match;
  const path = forwardedPath(route, service.path, exchange.guarded.path, route.stripPath ? matchedLength : 0);
  return exchange.hasQuery ? `${path}?${exchange.query}` : path;
}

/**
 * Forwards a request and its response, streaming both. A class, though it is neither started nor stopped:
 * one is made for every request and its upstream calls it back, so closures would cost more.
 */
class Forwarding implements ResponseListener {
  readonly #exchange: ProxyExchange;
  readonly #service: ServiceEntry;
  readonly #requestId: string;
  readonly #services: ForwardServices;
  #upstream: UpstreamExchange | undefined = undefined;
  #target: Target | undefined = undefined;
  /** The target as the service's policy chose it; undefined when it has none. */
  #choice: Choice | undefined = undefined;
  #attempts = 0;
  /** Targets that the request failed on. */
  #tried: readonly Target[] = none;
  /** The body as it comes, where it may have to be sent again. */
  #kept: KeptBody | undefined = undefined;
  #sentAtMs = 0;
  #remaining: number | undefined = undefined;
  /** Whether the response has a head that goes to the client. */
  #hasHead = false;
  /**
   * The fields of a head that waits for what came with it: where that is broken, the client gets a whole answer of ours.
   * It waits no longer than until the upstream's bytes have been looked at.
   */
  #heldHead: readonly string[] | undefined = undefined;
  #statusText = '';
  /** Whether the last of the body is on its way to the client. */
  #isEnding = false;
  /** What came of it, for whoever counts: 499 is nginx's for a client that did not wait. */
  #status = 499;
  #source: AnswerSource = 'error';
  #upstreamMs: number | undefined = undefined;
  #ingressBytes = 0;
  #isRefused = false;
  #egressBytes = 0;

  constructor(exchange: ProxyExchange, service: ServiceEntry, requestId: string, services: ForwardServices) {
    this.#exchange = exchange;
    this.#service = service;
    this.#requestId = requestId;
    this.#services = services;
    exchange.response.once('close', () => {
      this.#choice?.release();
      this.#count();
      // Node tells nobody who waits for the rest of a body that it never comes once an answer is out.
      if (!exchange.response.writableFinished || !exchange.request.complete) this.#upstream?.abort();
    });
  }

  /** Sends the request to the next target; answers 503 if there is none. */
  start(): void {
    const target = this.#nextTarget();
    if (target === undefined) {
      this.#counts.failed('no-target');
      this.#answer({ status: 503, message: 'failure to get a peer from the ring-balancer' });
      return;
    }
    this.#target = target;
    this.#attempts += 1;
    this.#sentAtMs = performance.now();
    const exchange = this.#exchange;
    const body = this.#body();
    const fault = Buffer.isBuffer(body) ? this.#faultOf(body) : undefined;
    if (fault !== undefined) return this.#refuse(fault);
    this.#upstream = this.#services.client.send(
      target,
      {
        method: exchange.method,
        path: upstreamTarget(exchange, this.#service),
        headers: upstreamHeaders(exchange, { service: this.#service, target }, this.#requestId, this.#services.hop),
        body,
        kept: this.#kept,
        trailers: body === null ? undefined : this.#trailersLater(),
        tls: this.#service.tls,
        isHttp2: this.#service.isHttp2,
        connectTimeoutMs: this.#service.connectTimeoutMs,
        writeTimeoutMs: this.#service.writeTimeoutMs,
        readTimeoutMs: this.#service.readTimeoutMs,
      },
      exchange.match.route.buffers?.response === true ? bufferedResponse(this, bufferBytes) : this,
    );
  }

  #nextTarget(): Target | undefined {
    const { balancer } = this.#services;
    if (this.#service.policy === undefined) return untriedTarget(balancer, this.#service, this.#tried);
    this.#choice?.release();
    this.#choice = balancer.choose(this.#service, this.#exchange, this.#choice);
    // A client that went away before has no other moment to tell it.
    if (this.#exchange.response.destroyed) this.#choice?.release();
    return this.#choice?.target;
  }

  #body(): Buffer | AsyncIterable<Buffer> | null {
    const { request, replacedBody, body } = this.#exchange;
    if (replacedBody !== undefined) return this.#counted(replacedBody.bytes);
    if (!hasBody(request)) return null;
    if (body?.isWhole === true) return this.#counted(body.taken);
    this.#exchange.continueBody();
    if (this.#kept !== undefined) return this.#kept.read();
    const rest = restOfBody(request, body?.taken, (bytes) => this.#receive(bytes));
    if (this.#service.isHttp2 !== true) return rest;
    this.#kept = keptBody(rest);
    return this.#kept.read();
  }

  /** Counts what the client sends, and ends it where that is too much. */
  #receive(bytes: number): void {
    this.#ingressBytes += bytes;
    if (this.#isTooMuch(this.#ingressBytes) && !this.#isRefused) this.#refuse(tooLargeBody);
  }

  #isTooMuch(bytes: number): boolean {
    const most = this.#exchange.match.route.maxBodyBytes ?? this.#services.limits.now.bodyBytes;
    return most > 0 && bytes > most;
  }

  /** A body that a plugin has put in place of the client's has nothing behind it. */
  #trailersLater(): UpstreamRequest['trailers'] {
    return this.#exchange.replacedBody === undefined ? () => this.#trailers() : undefined;
  }

  /** What came behind the body and goes on; too many fields are refused as those of a head are. */
  #trailers(): readonly string[] {
    const { request, removedHeaders } = this.#exchange;
    if (!this.#hasTooManyTrailers()) return allowedTrailers(request.rawTrailers, removedHeaders);
    this.#refuse(tooManyHeaders);
    return [];
  }

  #hasTooManyTrailers(): boolean {
    return this.#exchange.request.rawTrailers.length > this.#services.limits.now.headerCount * 2;
  }

  /** What is wrong with a body that was read whole. */
  #faultOf(body: Buffer): GuardFault | undefined {
    if (this.#isTooMuch(body.byteLength)) return tooLargeBody;
    return this.#hasTooManyTrailers() ? tooManyHeaders : undefined;
  }

  /** Ends a request over what came behind its head. */
  #refuse(fault: GuardFault): void {
    this.#isRefused = true;
    this.#services.refused?.(fault.reason);
    this.#upstream?.abort();
    this.#upstream = undefined;
    if (this.#hasHead) this.#exchange.response.destroy();
    else this.#answer(fault);
  }

  #counted(body: Buffer): Buffer {
    this.#ingressBytes = body.byteLength;
    return body;
  }

  get #counts(): RouteCounts {
    const { match, identity } = this.#exchange;
    return this.#services.traffic.of(match.route, identity?.consumer);
  }

  #count(): void {
    const { receivedAtMs } = this.#exchange;
    const requestMs = performance.now() - receivedAtMs;
    const figures = {
      requestMs,
      upstreamMs: this.#upstreamMs,
      gatewayMs: this.#sentAtMs === 0 ? requestMs : this.#sentAtMs - receivedAtMs,
      ingressBytes: this.#ingressBytes,
      egressBytes: this.#egressBytes,
    };
    this.#counts.answered(this.#source, this.#status, figures);
    if (this.#services.accessLog !== undefined) this.#log(this.#services.accessLog, figures);
  }

  #log(log: AccessLog, figures: Figures): void {
    const exchange = this.#exchange;
    log.answered({
      request: exchange.request,
      exchange,
      requestId: this.#requestId,
      source: this.#source,
      status: this.#status,
      figures,
      target: this.#target,
      tries: this.#attempts,
    });
  }

  /**
   * Interim responses go on (RFC 9110 section 15.2), but for HTTP/1.0, which has none. 100 Continue was ours to say,
   * since nobody is asked for it upstream.
   */
  onInterim(status: number, raw: readonly string[]): void {
    const { request, response } = this.#exchange;
    if (status <= 101 || request.httpVersion === '1.0' || response.destroyed) return;
    response.writeInformation(status, interimHeaders(raw));
  }

  onHead(status: number, statusText: string, raw: readonly string[], isWhole?: boolean): void {
    this.#upstreamMs = performance.now() - this.#sentAtMs;
    this.#status = status;
    this.#statusText = statusText;
    if (isWhole === undefined) this.#heldHead = raw;
    else this.#sendHead(raw, isWhole);
  }

  #sendHead(raw: readonly string[], isWhole?: boolean): void {
    this.#heldHead = undefined;
    this.#hasHead = true;
    this.#source = 'service';
    const { response, receivedAtMs, method, responseHeaders } = this.#exchange;
    if (isWhole !== undefined) response.expectEnd?.(isWhole ? 'head' : 'trailers');
    const status = this.#status;
    this.#choice?.observed(status);
    const { headers, contentLength, trailer } = clientHeaders(raw, {
      requestId: this.#requestId,
      server: this.#services.server,
      via: this.#service.isHttp2 === true ? this.#services.hop.viaHttp2 : this.#services.hop.via,
      shown: this.#services.headers,
      upstreamStatus: status,
      upstreamLatencyMs: Math.round(this.#upstreamMs ?? 0),
      proxyLatencyMs: Math.round(this.#sentAtMs - receivedAtMs),
    });
    this.#remaining = contentLength;
    if (contentLength === undefined && mayHaveBody(method, status)) this.#expectTrailers(headers, trailer, isWhole);
    response.writeHead(status, this.#statusText, withPluginHeaders(headers, responseHeaders));
  }

  /** A client of HTTP/1.1 is told which are to come; over HTTP/2 the stream has to be kept open for them. */
  #expectTrailers(headers: string[], trailer: string | undefined, isWhole: boolean | undefined): void {
    if (isWhole === undefined) this.#exchange.response.expectEnd?.('trailers');
    if (trailer === undefined || isWhole === true || !this.#takesTrailers()) return;
    const announced = allowedAnnouncement(trailer);
    if (announced !== undefined) headers.push('Trailer', announced);
  }

  onHeadAlone(): void {
    if (this.#heldHead !== undefined) this.#sendHead(this.#heldHead);
    this.#exchange.response.flushHeaders();
  }

  onData(chunk: Buffer): boolean {
    if (this.#heldHead !== undefined) this.#sendHead(this.#heldHead);
    const { response } = this.#exchange;
    this.#egressBytes += chunk.byteLength;
    if (this.#remaining !== undefined && this.#exchange.method !== 'HEAD') {
      this.#remaining -= chunk.byteLength;
      if (this.#remaining === 0) {
        this.#endWith(chunk);
        return true;
      }
    }
    const { bytes, release } = copyChunk(chunk);
    if (response.write(bytes, release)) return true;
    response.once('drain', () => this.#upstream?.resume());
    return false;
  }

  /** The last bytes of a body. As text they leave in one piece with the head; Latin-1 keeps every byte. */
  #endWith(chunk: Buffer): void {
    const { response } = this.#exchange;
    this.#isEnding = true;
    if (chunk.byteLength > oneWriteBytes) {
      const { bytes, release } = copyChunk(chunk);
      return void response.end(bytes, release);
    }
    const text = chunk.toString('latin1');
    endAtTurnEnd(response, text, 'latin1');
  }

  onEnd(trailers?: readonly string[]): void {
    if (this.#heldHead !== undefined) this.#sendHead(this.#heldHead);
    this.#upstream = undefined;
    const { response } = this.#exchange;
    if (this.#isEnding || response.writableEnded) return;
    if (trailers !== undefined && this.#takesTrailers()) response.addTrailers(pairsOf(allowedTrailers(trailers)));
    response.end();
  }

  /** Over HTTP/1.1 a client must have asked for them (RFC 9110 section 6.5.1); before that there were no chunks. */
  #takesTrailers(): boolean {
    const { httpVersion, headers } = this.#exchange.request;
    if (httpVersion === '2.0') return true;
    return httpVersion !== '1.0' && headers.te !== undefined && asksForTrailers(String(headers.te));
  }

  onFault(fault: UpstreamFault, error: Error): void {
    this.#counts.failed(fault);
    if (this.#isEnding) return; // the client has the whole of what the head stated
    if (this.#hasHead) {
      // Part of the response is out: only a cut connection tells the client that the rest is missing.
      this.#exchange.response.destroy(error);
      return;
    }
    this.#heldHead = undefined;
    this.#upstreamMs = undefined;
    this.#choice?.observed(fault);
    if (this.#mayRetry(fault)) {
      this.#counts.retried();
      if (this.#target !== undefined) this.#tried = [...this.#tried, this.#target];
      this.start();
      return;
    }
    this.#answer(faultAnswers[fault]);
  }

  /**
   * Another attempt is safe if nothing was sent or looked at, or if the request changes nothing and has no body: a kept
   * connection that the upstream closed in the same moment is no fault of the request.
   */
  #mayRetry(fault: UpstreamFault): boolean {
    if (this.#attempts > this.#service.retries || this.#exchange.response.destroyed) return false;
    const { request, method } = this.#exchange;
    if (fault === 'connect' || fault === 'connect-timeout' || fault === 'refused') return true;
    return fault === 'closed' && idempotent.has(method) && !hasBody(request);
  }

  #answer(answer: Answer): void {
    const { request, response, receivedAtMs, method } = this.#exchange;
    const now = performance.now();
    const isUnread = hasBody(request) && !request.complete;
    this.#status = answer.status;
    this.#egressBytes = sendAnswer(
      response,
      // What is left of the body stays unread, so the connection cannot be used again.
      { ...answer, isLast: isUnread, isEarly: isUnread && !this.#exchange.expectsContinue },
      {
        accept: request.headers.accept,
        isGrpc: isGrpc(request),
        contentType: request.headers['content-type'],
        isHead: method === 'HEAD',
        requestId: this.#requestId,
        server: this.#services.server,
        shown: this.#services.headers,
        latencyMs: Math.round((this.#target === undefined ? now : this.#sentAtMs) - receivedAtMs),
        pluginHeaders: this.#exchange.responseHeaders,
        ...(this.#target === undefined ? {} : { upstreamLatencyMs: Math.round(now - this.#sentAtMs) }),
      },
    );
  }
}

/** Sends a request that may pass to its service and the response back. Never throws. */
export function forward(
  exchange: ProxyExchange,
  service: ServiceEntry,
  requestId: string,
  services: ForwardServices,
): void {
  const forwarding = new Forwarding(exchange, service, requestId, services);
  // A call of gRPC may go on for hours, as long as neither side is silent for longer than the endpoint may be.
  if (service.isHttp2 === true && isGrpc(exchange.request)) exchange.request.mayLast?.();
  if (exchange.match.route.buffers?.request !== true) return forwarding.start();
  // A client that goes away while its body is read has nobody left to answer.
  exchange.readBody(bufferBytes).then(
    () => {
      if (!exchange.response.headersSent) forwarding.start(); // else it took too long, and was told so
    },
    () => exchange.response.destroy(),
  );
}
