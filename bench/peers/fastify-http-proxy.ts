import { nodePeer, readAssignment } from './node-peer.ts';
import { refusal } from './peer.ts';

/** Fastify's own proxy plugin, the keys looked up in a `preHandler`. */
export const fastifyHttpProxy = nodePeer('@fastify/http-proxy', import.meta.url);

async function serve(): Promise<void> {
  const { default: fastify } = await import('fastify');
  const { default: httpProxy } = await import('@fastify/http-proxy');
  const { port, upstreamPort, keys } = await readAssignment();
  const app = fastify();
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
  await app.listen({ port, host: '127.0.0.1' });
}

if (import.meta.main) await serve();
