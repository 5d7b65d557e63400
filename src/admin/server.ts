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
import { consumerEndpoints } from './endpoints/consumers.ts';
import { consumerKeyEndpoints, keyAuthEndpoints } from './endpoints/key-auths.ts';
import { nodeEndpoints } from './endpoints/node.ts';
import { pluginEndpoints, routePluginEndpoints } from './endpoints/plugins.ts';
import { routeEndpoints } from './endpoints/routes.ts';
import { AdminError, methodNotAllowed, notFound } from './errors.ts';
import { guardAdmin, isLocalOrigin } from './guard.ts';
import type { AdminAnswer, AdminRequest, Endpoint, StatedBody } from './request-context.ts';

const writes = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

function toAdminRequest(request: FastifyRequest): AdminRequest {
  return {
    params: request.params as Record<string, string>,
    query: request.query as Record<string, string>,
    body: (request.body as StatedBody | undefined) ?? { args: {}, isForm: true },
    path: request.url.split('?')[0] ?? '',
  };
}

async function dispatch(endpoint: Endpoint, backend: Backend, request: FastifyRequest): Promise<AdminAnswer> {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const handle = endpoint.methods[method as keyof Endpoint['methods']];
  if (handle === undefined) throw methodNotAllowed();
  const admin = toAdminRequest(request);
  return writes.has(method) ? backend.inTurn(async () => handle(admin)) : handle(admin);
}

function answerOptions(endpoint: Endpoint, reply: FastifyReply): void {
  const methods = Object.keys(endpoint.methods);
  const allowed = [...methods, 'OPTIONS', ...(methods.includes('GET') ? ['HEAD'] : [])].sort().join(', ');
  void reply.header('Allow', allowed).header('Access-Control-Allow-Methods', allowed);
  void reply.header('Access-Control-Allow-Headers', 'Content-Type').code(204).send();
}

function addEndpoint(app: FastifyInstance, endpoint: Endpoint, backend: Backend): void {
  app.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: endpoint.path,
    handler: async (request, reply) => {
      if (request.method === 'OPTIONS') return answerOptions(endpoint, reply);
      const { status, body } = await dispatch(endpoint, backend, request);
      return send(reply, status, body);
    },
  });
}

function send(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  void reply.code(status);
  if (body === undefined) return reply.send();
  return reply.header('Content-Type', 'application/json; charset=utf-8').send(JSON.stringify(body));
}

/** Errors as Kong says them; what is our own bug is told without its details. */
function sendError(error: FastifyError, reply: FastifyReply): FastifyReply {
  if (error instanceof AdminError) return send(reply, error.status, error.body);
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return send(reply, 415, undefined);
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return send(reply, 413, { message: 'Payload too large' });
  const status = error.statusCode ?? 500;
  // The source says what keeps it from writing, by file and line: that is for whoever asked.
  return send(reply, status, { message: error.message });
}

function addHeaders(app: FastifyInstance, version: string): void {
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    void reply.header('Server', `latchkey/${version}`);
    if (origin !== undefined && isLocalOrigin(origin)) {
      void reply.header('Access-Control-Allow-Origin', origin).header('Access-Control-Allow-Credentials', 'true');
    }
    guardAdmin(request);
  });
  app.addHook('onSend', async (_, reply) => {
    void reply.header('X-Kong-Admin-Latency', Math.round(reply.elapsedTime));
  });
}

/** Makes the server; see the head of this file. */
export function createAdminServer(options: AdminOptions): FastifyInstance {
  const backend = createBackend(options);
  const app = fastify({
    bodyLimit: bodyLimitBytes,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 4_096 },
    forceCloseConnections: true,
    logger: false,
  });
  addBodyParsers(app);
  addHeaders(app, options.version);
  app.setErrorHandler<FastifyError>((error, _, reply) => sendError(error, reply));
  app.setNotFoundHandler(() => {
    throw notFound();
  });
  const endpoints = [
    nodeEndpoints,
    consumerEndpoints,
    consumerKeyEndpoints,
    keyAuthEndpoints,
    routeEndpoints,
    routePluginEndpoints,
    pluginEndpoints,
  ];
  for (const endpoint of endpoints.flatMap((make) => make(backend))) addEndpoint(app, endpoint, backend);
  return app;
}
