import httpProxy from '@fastify/http-proxy';
import { fastify } from 'fastify';

const [port = '', upstreamPort = '', key = '', consumer = ''] = process.argv.slice(2);
const consumers = new Map([[key, consumer]]);
const app = fastify();

await app.register(httpProxy, {
  upstream: `http://127.0.0.1:${upstreamPort}`,
  preHandler: (request, reply, done) => {
    const username = consumers.get(String(request.headers['apikey'] ?? ''));
    if (username === undefined) {
      void reply.code(401).send({ message: 'Unauthorized' });
      return;
    }
    request.headers['x-consumer-username'] = username;
    done();
  },
  replyOptions: {
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      'x-consumer-username': request.headers['x-consumer-username'],
    }),
  },
});
await app.listen({ port: Number(port), host: '127.0.0.1' });
