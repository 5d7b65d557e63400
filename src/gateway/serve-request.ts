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
import { runPlugins } from './run-plugins.ts';
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
  const requestId = newRequestId();
  let known: ProxyExchange | undefined;
  const reply = (answer: Answer): void => answerClient(client, answer, { requestId, services, exchange: known });
  const refuse = (fault: GuardFault): void => {
    services.refused?.(fault.reason);
    reply(fault);
  };
  const guarded = guardRequest(client.request, services.paths, services.limits.now);
  if ('reason' in guarded) return refuse(guarded);
  const match = services.table.match(guarded.host, guarded.path, client.request);
  if (match === undefined) return reply({ status: 404, message: 'no Route matched with those values' });
  if (guarded.otherReading !== undefined && leadsElsewhere(match, guarded, client.request, services)) {
    return refuse(badPath);
  }
  const exchange = new ProxyExchange(client, guarded, match, services);
  known = exchange;
  if (services.headers.debug) tellRoute(exchange);
  if (isTooLarge(exchange, services)) return refuse(tooLargeBody);
  const refused = routeRefusal(exchange);
  if (refused !== undefined) return reply(refused);
  const proceed = (refusal: Refusal | undefined): void => {
    if (refusal !== undefined) return reply(refusal);
    const service = services.table.service(match.route.service);
    if (service === undefined) return reply({ status: 503, message: 'failure to get a peer from the ring-balancer' });
    if (service.blocked !== undefined) return reply({ status: 503, message: 'this service is not in force' });
    return onward(exchange, service, requestId);
  };
  const fail = (error: unknown): void => {
    // A client that goes away while its body is read is no bug of ours.
    if (client.response.destroyed) return;
    services.log.error({ err: error, route: match.route.name, requestId }, 'a request failed because of a bug');
    reply({ status: 500, message: 'An unexpected error occurred', isLast: true });
  };
  try {
    const outcome = runPlugins(match.route, services.table.plugin, exchange, (plugin, refusal) =>
      noteAttempt(exchange, { plugin, refusal, requestId }, services),
    );
    if (outcome instanceof Promise) outcome.then(proceed).catch(fail);
    else proceed(outcome);
  } catch (error) {
    fail(error);
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
  // Why it is closed stands in the status of its Ingress; a client has no business with it.
  if (route.blocked !== undefined) return { status: 503, message: 'this route is not in force' };
  if (route.protocols === undefined) return undefined;
  return httpsRedirect(route, exchange) ?? grpcRefusal(route, exchange.request);
}

/** Answers a request that is refused before anything else looks at it. */
export function refuseRequest(client: ClientRequest, fault: GuardFault, services: ServeServices): void {
  services.refused?.(fault.reason);
  const about = { requestId: newRequestId(), services, exchange: undefined };
  answerClient(client, fault, about);
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

function answerClient(
  client: ClientRequest,
  answer: Answer,
  about: {
    readonly requestId: string;
    readonly services: ServeServices;
    readonly exchange: ProxyExchange | undefined;
  },
): void {
  const { request, response } = client;
  // A body that nobody will read would be taken for the next request's start: the connection ends.
  const isUnread = hasBody(request) && !request.complete;
  const isEarly = isUnread && answer.isLast !== true && !client.expectsContinue;
  const { exchange, services } = about;
  const tookMs = performance.now() - client.receivedAtMs;
  const egressBytes = sendAnswer(
    response,
    { ...answer, isLast: answer.isLast === true || isUnread, isEarly },
    {
      accept: request.headers.accept,
      isGrpc: isGrpc(request),
      contentType: request.headers['content-type'],
      isHead: request.method === 'HEAD',
      requestId: about.requestId,
      server: services.server,
      shown: services.headers,
      latencyMs: Math.round(tookMs),
      pluginHeaders: exchange?.responseHeaders,
    },
  );
  const { status } = answer;
  const figures = { requestMs: tookMs, gatewayMs: tookMs, ingressBytes: 0, egressBytes };
  services.traffic.of(exchange?.match.route, exchange?.identity?.consumer).answered('exit', status, figures);
  services.accessLog?.answered({ request, exchange, requestId: about.requestId, source: 'exit', status, figures });
}

interface Decision {
  readonly plugin: PluginEntry;
  readonly refusal: Refusal | undefined;
  readonly requestId: string;
}

function noteAttempt(
  exchange: ProxyExchange,
  { plugin, refusal, requestId }: Decision,
  { log, traffic }: ServeServices,
): void {
  const { identity } = exchange;
  if (refusal === undefined && identity === undefined) return; // the plugin decided nothing about the caller
  const outcome = refusal?.outcome ?? (identity?.credentialId === undefined ? 'anonymous' : 'granted');
  traffic.of(exchange.match.route, undefined).attempted(plugin.type, outcome);
  if (!log.isLevelEnabled('debug')) return;
  logAttempt(log, {
    outcome,
    route: exchange.routeName,
    plugin: plugin.type,
    requestId,
    client: exchange.clientAddress,
    ...(refusal === undefined ? callerOf(identity) : {}),
  });
}

function callerOf(identity: Identity | undefined): { readonly consumer?: string; readonly credential?: string } {
  if (identity === undefined) return {};
  const { consumer, credentialId } = identity;
  return {
    consumer: consumer.username ?? consumer.id,
    ...(credentialId === undefined ? {} : { credential: credentialId }),
  };
}
