import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { nodePeer, readAssignment } from './node-peer.ts';
import { refusal, type Assignment } from './peer.ts';

/** The proxy that one writes by hand: `node:http` on both sides, a keep-alive agent, a Map of keys. */
export const httpAgent = nodePeer('http.Agent', import.meta.url);

type Serving = Omit<Assignment, 'folder' | 'loaded'> & { readonly agent: Agent };

function refuse(response: ServerResponse): void {
  response.writeHead(401, { 'Content-Type': 'application/json', 'Content-Length': refusal.length });
  response.end(refusal);
}

function forward(request: IncomingMessage, response: ServerResponse, { upstreamPort, agent }: Serving): void {
  const { method, url, headers } = request;
  const out = httpRequest({ agent, host: '127.0.0.1', port: upstreamPort, method, path: url, headers });
  out.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
  });
  out.once('error', () => response.destroy());
  request.pipe(out);
}

async function serve(): Promise<void> {
  const serving: Serving = { ...(await readAssignment()), agent: new Agent({ keepAlive: true }) };
  const server = createServer((request, response) => {
    const consumer = serving.keys.get(String(request.headers['apikey']));
    if (consumer === undefined) {
      refuse(response);
      return;
    }
    request.headers['x-consumer-username'] = consumer;
    forward(request, response, serving);
  });
  server.listen(serving.port, '127.0.0.1');
}

if (import.meta.main) await serve();
