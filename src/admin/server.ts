/**
 * Kong's Admin API (kong-facts 3), the second front door: what it writes are Kubernetes objects, through
 * the source like anybody's, and its answers wait until they are in force.
 *
 *   HTTP ──▶ guard ──▶ body ──▶ endpoint ──▶ source.write ──▶ settled ──▶ answer
 *
 * It reads objects from the store, which has no keys: one that must be shown is read from the source for
 * that answer. Nothing of a request is logged: paths and bodies hold keys.
 */
import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { createBackend, type AdminOptions, type Backend } from './backend.ts';
import { addBodyParsers, bodyLimitBytes } from './body-parsers.ts';
import { consumerKeyEndpoints } from './endpoints/consumer-keys.ts';
import { consumerEndpoints } from './endpoints/consumers.ts';
import { keyAuthEndpoints } from './endpoints/key-auths.ts';
import { nodeEndpoints } from './endpoints/node.ts';
import { pluginEndpoints } from './endpoints/plugins.ts';
import { routePluginEndpoints } from './endpoints/route-plugins.ts';
import { routeEndpoints } from './endpoints/routes.ts';
import { AdminError, methodNotAllowed, notFound, writesAreOff } from './errors.ts';
import { guardAdmin, isLocalOrigin } from './guard.ts';
import type { AdminRequest, Endpoint, StatedBody } from './request-context.ts';

/** Time that a client has to send a whole request. */
const requestTimeoutMs = 60_000;
/** More than a header line may have, so that any name that can be sent can be looked up. */
const longestParam = 64 * 1024;

/** Methods whose body Kong does not read; fastify would. */
const bodylessMethods = ['DELETE', 'OPTIONS'];

/** The query, of each name the first value. */
function queryOf(request: FastifyRequest): AdminRequest['query'] {
  const stated = Object.entries(request.query as Record<string, string | string[]>);
  return Object.fromEntries(stated.map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]));
}

function toAdminRequest(request: FastifyRequest): AdminRequest {
  const params = request.params as Readonly<Record<string, string>>;
  return {
    param(name) {
      const value = params[name] ?? '';
      if (value === '') throw notFound();
      return value;
    },
    query: queryOf(request),
    body: (request.body as StatedBody | undefined) ?? { args: {}, isForm: true },
  };
}

function answerOptions(endpoint: Endpoint, reply: FastifyReply): FastifyReply {
  const methods = Object.keys(endpoint.methods);
  const allowed = [...methods, 'OPTIONS', ...(methods.includes('GET') ? ['HEAD'] : [])].sort().join(', ');
  void reply.header('Allow', allowed).header('Access-Control-Allow-Methods', allowed);
  return reply.header('Access-Control-Allow-Headers', 'Content-Type').code(204).send();
}

function addEndpoint(app: FastifyInstance, endpoint: Endpoint, backend: Backend): void {
  const url = endpoint.path;
  app.route({ method: 'OPTIONS', url, handler: async (_, reply) => answerOptions(endpoint, reply) });
  for (const [method, handle] of Object.entries(endpoint.methods)) {
    const isWrite = method !== 'GET' && endpoint.isReadOnly !== true;
    app.route({
      method: method === 'GET' ? ['GET', 'HEAD'] : method,
      url,
      // Before the body is read: what is wrong with that is of no interest.
      onRequest: async () => {
        if (isWrite && !backend.writes) throw writesAreOff();
      },
      handler: async (request, reply) => {
        const admin = toAdminRequest(request);
        const { status, body } = await (isWrite ? backend.inTurn(async () => handle(admin)) : handle(admin));
        return send(reply, status, body);
      },
    });
  }
  addRefusals(app, endpoint);
}

/** The other methods of a path, lest another path with a parameter there takes them. */
function addRefusals(app: FastifyInstance, { path, methods }: Endpoint): void {
  const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => !Object.hasOwn(methods, method));
  const refuse = async (): Promise<never> => {
    throw methodNotAllowed();
  };
  const method = others.includes('GET') ? [...others, 'HEAD'] : others;
  if (method.length > 0) app.route({ method, url: path, onRequest: refuse, handler: refuse });
}

/** What is said of a request that no endpoint takes: whether it is the path or the method (kong-facts 3.1). */
function refusal(endpoints: readonly Endpoint[]): (request: FastifyRequest) => AdminError {
  const known = endpoints.map(({ path }) => new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}/?$`));
  return ({ url }) => {
    const [path = ''] = url.split('?');
    return known.some((pattern) => pattern.test(path)) ? methodNotAllowed() : notFound();
  };
}

function send(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  void reply.code(status);
  if (body === undefined) return reply.removeHeader('Content-Type').send();
  return reply.header('Content-Type', 'application/json; charset=utf-8').send(JSON.stringify(body));
}

/** Where an error happened, without its message, which may repeat what a client sent. */
const framesOf = (error: Error): string =>
  (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');

/** Errors as Kong says them; what is our own bug is told without its details. */
function answerError(error: FastifyError, reply: FastifyReply, log: AdminOptions['log']): FastifyReply {
  if (error instanceof AdminError) {
    const { status, body, retryAfterSeconds } = error;
    if (retryAfterSeconds !== undefined) void reply.header('Retry-After', retryAfterSeconds);
    return send(reply, status, body);
  }
  const status = error.statusCode ?? 500;
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return send(reply, 413, { message: 'Payload too large' });
  if (status === 415) return send(reply, 415, undefined);
  if (error.code === 'FST_ERR_BAD_URL') return send(reply, 400, { message: 'the path is not percent-encoded UTF-8' });
  if (status < 500) return send(reply, status, { message: 'Bad request' });
  const endpoint = `${reply.request.method} ${reply.request.routeOptions.url ?? ''}`;
  log?.error({ endpoint, error: error.name, frames: framesOf(error) }, 'the Admin API failed because of a bug');
  return send(reply, 500, { message: 'An unexpected error occurred' });
}

function addHeaders(request: FastifyRequest, reply: FastifyReply, version: string): void {
  const { origin } = request.headers;
  void reply.header('Server', `latchkey/${version}`).header('Vary', 'Origin');
  if (origin === undefined || !isLocalOrigin(origin)) return;
  void reply.header('Access-Control-Allow-Origin', origin).header('Access-Control-Allow-Credentials', 'true');
}

const allEndpoints = [
  nodeEndpoints,
  consumerEndpoints,
  consumerKeyEndpoints,
  keyAuthEndpoints,
  routeEndpoints,
  routePluginEndpoints,
  pluginEndpoints,
];

/** Makes the server; see the head of this file. */
export function createAdminServer(options: AdminOptions): FastifyInstance {
  const { version, log } = options;
  const backend = createBackend(options);
  const endpoints = allEndpoints.flatMap((make) => make(backend));
  const refuse = refusal(endpoints);
  const app = fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: longestParam },
    forceCloseConnections: true,
    logger: false,
    frameworkErrors: (error, request, reply) => {
      addHeaders(request, reply, version);
      void answerError(error, reply, log);
    },
  });
  for (const method of bodylessMethods) app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  addBodyParsers(app);
  app.addHook('onRequest', async (request, reply) => {
    addHeaders(request, reply, version);
    guardAdmin(request);
    // Before its body is read: what is wrong with that is of no interest.
    if (request.is404) throw refuse(request);
  });
  app.addHook('onSend', async (_, reply) => {
    void reply.header('X-Kong-Admin-Latency', Math.round(reply.elapsedTime));
  });
  app.setErrorHandler<FastifyError>((error, _, reply) => answerError(error, reply, log));
  for (const endpoint of endpoints) addEndpoint(app, endpoint, backend);
  return app;
}
