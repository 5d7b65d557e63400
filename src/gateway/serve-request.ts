import type { RequestMessage, ResponseMessage } from './client-message.ts';
import { logAttempt } from '#telemetry/attempts.ts';
import type { Logger } from '#telemetry/log.ts';
import type { Identity, Refusal } from '#plugins/plugin.ts';
import { nameInKey } from '#table/entry-name.ts';
import type { PathRules } from '#table/normalize-path.ts';
import type { PluginEntry } from '#table/plugin-entry.ts';
import type { ServiceEntry } from '#table/service-entry.ts';
import { isEnded, sendAnswer, type Answer } from './answer.ts';
import type { FaultServices } from './client-fault.ts';
import { ProxyExchange, type ExchangeServices, type Proof } from './exchange.ts';
import { grpcRefusal, isGrpc } from './grpc.ts';
import { httpsRedirect } from './https-redirect.ts';
import type { LimitsInForce } from './limits.ts';
import { hasBody } from './request-body.ts';
import type { Match } from './match.ts';
import { badPath, guardRequest, type GuardedRequest, type GuardFault, tooLargeBody } from './request-guard.ts';
import { newRequestId } from './request-id.ts';
import { runPlugins, type AttemptListener } from './run-plugins.ts';
import type { AccessLog } from './access-log.ts';
import type { Traffic } from './traffic.ts';

/** What a request may come to, once it may pass: forwarded, or tunnelled after an upgrade. */
export type Onward = (exchange: ProxyExchange, service: ServiceEntry, requestId: string) => void;

export interface ServeServices extends ExchangeServices, FaultServices {
  readonly log: Logger;
  readonly traffic: Traffic;
  readonly accessLog?: AccessLog | undefined;
  readonly limits: LimitsInForce;
  readonly paths: PathRules;
}

export interface ClientRequest {
  readonly request: RequestMessage;
  readonly response: ResponseMessage;
  readonly expectsContinue: boolean;
  /** As `performance.now()` has it. */
  readonly receivedAtMs: number;
  /** Where what proves the caller is noted. */
  readonly proofs?: Proof[] | undefined;
}

const noRoute: Answer = { status: 404, message: 'no Route matched with those values' };
const noPeer: Answer = { status: 503, message: 'failure to get a peer from the ring-balancer' };
const serviceNotInForce: Answer = { status: 503, message: 'this service is not in force' };
/** Why it is closed stands in the status of its Ingress; a client has no business with it. */
const routeNotInForce: Answer = { status: 503, message: 'this route is not in force' };
const bug: Answer = { status: 500, message: 'An unexpected error occurred', isLast: true };

/**
 * A request's life: guard → match → plugins → onward, with an answer of our own as the exit of each step.
 *
 *   guardRequest ─▶ table.match ─▶ runPlugins ─▶ service ─▶ onward
 *       400            404          401, 503 …     503
 */
export function serveRequest(client: ClientRequest, onward: Onward, services: ServeServices): void {
  // Behind another on its connection, and never to be answered: what the one before was refused for may have
  // made this one up.
  if (client.response.socket === null && isEnded(client.request.socket)) return;
  new Serving(client, services).start(onward);
}

/** Answers a request that is refused before anything else looks at it. */
export function refuseRequest(client: ClientRequest, fault: GuardFault, services: ServeServices): void {
  new Serving(client, services).refuse(fault);
}

/** A request that is served. A class for the same reason as `ProxyExchange`. */
class Serving implements AttemptListener {
  readonly #client: ClientRequest;
  readonly #services: ServeServices;
  readonly #requestId = newRequestId();
  /** Undefined before a route is known. */
  #exchange: ProxyExchange | undefined = undefined;

  constructor(client: ClientRequest, services: ServeServices) {
    this.#client = client;
    this.#services = services;
  }

  start(onward: Onward): void {
    const { request } = this.#client;
    const services = this.#services;
    const guarded = guardRequest(request, services.paths, services.limits.now);
    if ('reason' in guarded) return this.refuse(guarded);
    const match = services.table.match(guarded.host, guarded.path, request);
    if (match === undefined) return this.#reply(noRoute);
    if (guarded.otherReading !== undefined && leadsElsewhere(match, guarded, request, services)) {
      return this.refuse(badPath);
    }
    const exchange = new ProxyExchange(this.#client, guarded, match, services);
    this.#exchange = exchange;
    if (services.headers.debug) tellRoute(exchange);
    if (isTooLarge(exchange, services)) return this.refuse(tooLargeBody);
    const refused = routeRefusal(exchange);
    if (refused !== undefined) return this.#reply(refused);
    this.#runPlugins(exchange, onward);
  }

  #runPlugins(exchange: ProxyExchange, onward: Onward): void {
    try {
      const outcome = runPlugins(exchange, this.#services.table.plugin, this);
      if (outcome instanceof Promise) {
        outcome
          .then((refusal) => this.#proceed(exchange, refusal, onward))
          .catch((error: unknown) => this.#fail(exchange, error));
      } else this.#proceed(exchange, outcome, onward);
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  #proceed(exchange: ProxyExchange, refusal: Refusal | undefined, onward: Onward): void {
    if (refusal !== undefined) return this.#reply(refusal);
    const service = this.#services.table.service(exchange.match.route.service);
    if (service === undefined) return this.#reply(noPeer);
    if (service.blocked !== undefined) return this.#reply(serviceNotInForce);
    onward(exchange, service, this.#requestId);
  }

  #fail(exchange: ProxyExchange, error: unknown): void {
    // A client that goes away while its body is read is no bug of ours.
    if (this.#client.response.destroyed) return;
    const route = exchange.routeName;
    this.#services.log.error({ err: error, route, requestId: this.#requestId }, 'a request failed because of a bug');
    this.#reply(bug);
  }

  refuse(fault: GuardFault): void {
    this.#services.refused?.(fault.reason);
    this.#reply(fault);
  }

  #reply(answer: Answer): void {
    const { request, response, receivedAtMs } = this.#client;
    const services = this.#services;
    const exchange = this.#exchange;
    const tookMs = performance.now() - receivedAtMs;
    const egressBytes = sendAnswer(response, this.#asSent(answer), {
      accept: request.headers.accept,
      isGrpc: isGrpc(request),
      contentType: request.headers['content-type'],
      isHead: request.method === 'HEAD',
      requestId: this.#requestId,
      server: services.server,
      shown: services.headers,
      latencyMs: Math.round(tookMs),
      pluginHeaders: exchange?.responseHeaders,
    });
    const { status } = answer;
    const figures = { requestMs: tookMs, gatewayMs: tookMs, ingressBytes: 0, egressBytes };
    services.traffic.of(exchange?.match.route, exchange?.identity?.consumer).answered('exit', status, figures);
    services.accessLog?.answered({ request, exchange, requestId: this.#requestId, source: 'exit', status, figures });
  }

  /** A body that nobody will read would be taken for the next request's start: the connection ends. */
  #asSent(answer: Answer): Answer {
    const { request, expectsContinue } = this.#client;
    const isUnread = hasBody(request) && !request.complete;
    return isUnread ? { ...answer, isLast: true, isEarly: answer.isLast !== true && !expectsContinue } : answer;
  }

  attempted(exchange: ProxyExchange, plugin: PluginEntry, refusal: Refusal | undefined): void {
    const { identity } = exchange;
    if (refusal === undefined && identity === undefined) return; // the plugin decided nothing about the caller
    const outcome = refusal?.outcome ?? (identity?.credentialId === undefined ? 'anonymous' : 'granted');
    const { log, traffic } = this.#services;
    traffic.of(exchange.match.route, undefined).attempted(plugin.type, outcome);
    if (!log.isLevelEnabled('debug')) return;
    logAttempt(log, {
      outcome,
      route: exchange.routeName,
      plugin: plugin.type,
      requestId: this.#requestId,
      client: exchange.clientAddress,
      ...(refusal === undefined ? callerOf(identity) : {}),
    });
  }
}

/** Whether the length that a request states is more than its route takes; one that states none is counted as it comes. */
function isTooLarge({ match, request }: ProxyExchange, { limits }: ServeServices): boolean {
  const most = match.route.maxBodyBytes ?? limits.now.bodyBytes;
  return most > 0 && Number(request.headers['content-length'] ?? 0) > most;
}

/** What a route says itself to a request, before any plugin. */
function routeRefusal(exchange: ProxyExchange): Answer | undefined {
  const { route } = exchange.match;
  if (route.blocked !== undefined) return routeNotInForce;
  if (route.protocols === undefined) return undefined;
  return httpsRedirect(route, exchange) ?? grpcRefusal(route, exchange.request);
}

/**
 * Whether another server could take the path for one of another route, whose plugins it would then have got past:
 * `/%40admin` of a route `/`, where there is a route `/@admin`. A route that is written with such a spelling means it.
 */
function leadsElsewhere(
  { route }: Match,
  { host, otherReading = '' }: GuardedRequest,
  request: RequestMessage,
  { table }: ServeServices,
): boolean {
  const other = table.match(host, otherReading, request);
  if (other === undefined || other.route === route) return false;
  return !('value' in route.path && /[%;]/.test(route.path.value));
}

/** Tells who asks for it which route and service it met (kong-facts 2.4); ids are not in the table. */
function tellRoute(exchange: ProxyExchange): void {
  if (exchange.headerValues('kong-debug').length === 0) return;
  const { key, service } = exchange.match.route;
  exchange.setResponseHeader('Kong-Route-Name', nameInKey(key));
  exchange.setResponseHeader('Kong-Service-Name', nameInKey(service));
}

function callerOf(identity: Identity | undefined): { readonly consumer?: string; readonly credential?: string } {
  if (identity === undefined) return {};
  const { consumer, credentialId } = identity;
  return {
    consumer: consumer.username ?? consumer.id,
    ...(credentialId === undefined ? {} : { credential: credentialId }),
  };
}
