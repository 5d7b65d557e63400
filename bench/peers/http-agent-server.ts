import { Agent, createServer, request as httpRequest } from 'node:http';

const [port = '', upstreamPort = '', key = '', consumer = ''] = process.argv.slice(2);
const consumers = new Map([[key, consumer]]);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

createServer((request, response) => {
  const username = consumers.get(String(request.headers['apikey'] ?? ''));
  if (username === undefined) {
    response.writeHead(401, { 'Content-Type': 'application/json' }).end('{"message":"Unauthorized"}');
    return;
  }
  const headers = {
    ...request.headers,
    'x-consumer-username': username,
    'x-forwarded-for': request.socket.remoteAddress,
  };
  const outgoing = httpRequest(
    { agent, host: '127.0.0.1', port: Number(upstreamPort), method: request.method, path: request.url, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  outgoing.once('error', () => response.writeHead(502).end());
  request.pipe(outgoing);
}).listen(Number(port), '127.0.0.1');
