import type { FastifyInstance } from 'fastify';
import { nodePeer, servePeer, type Serving } from './node-peer.ts';
import { refusal } from './peer.ts';

/** Fastify's own proxy plugin, the keys looked up in a `preHandler`. */
export const fastifyHttpProxy = nodePeer('@fastify/http-proxy', import.meta.url);

async function addProxy(app: FastifyInstance, { upstreamPort, keys }: Serving): Promise<void> {
  const { default: httpProxy } = await import('@fastify/http-proxy');
  await app.register(httpProxy, {
    upstream: `http://127.0.0.1:${upstreamPort}`,
    preHandler(request, reply, done) {
      const consumer = keys.get(String(request.headers['apikey']));
      if (consumer === undefined) {
        void reply.code(401).type('application/json').send(refusal);
        return;
      }
      request.headers['x-consumer-username'] = consumer;
      done();
    },
  });
}

async function serve(serving: Serving): Promise<void> {
  const { default: fastify } = await import('fastify');
  const plain = fastify();
  await addProxy(plain, serving);
  await plain.listen({ port: serving.port, host: '127.0.0.1' });
  const overTls = fastify({ https: serving.tls });
  await addProxy(overTls, serving);
  await overTls.listen({ port: serving.httpsPort, host: '127.0.0.1' });
}

if (import.meta.main) await servePeer(serve);
