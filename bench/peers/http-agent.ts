import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { nodePeer, servePeer, type Serving } from './node-peer.ts';
import { refusal } from './peer.ts';

/** The proxy that one writes by hand: `node:http` on both sides, a keep-alive agent, a Map of keys. */
export const httpAgent = nodePeer('http.Agent', import.meta.url);

function refuse(response: ServerResponse): void {
  response.writeHead(401, { 'Content-Type': 'application/json', 'Content-Length': refusal.length });
  response.end(refusal);
}

interface Target {
  readonly port: number;
  readonly agent: Agent;
}

function forward(request: IncomingMessage, response: ServerResponse, { port, agent }: Target): void {
  const { method, url, headers } = request;
  const out = httpRequest({ agent, host: '127.0.0.1', port, method, path: url, headers });
  out.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
  });
  out.once('error', () => response.destroy());
  request.pipe(out);
}

async function serve({ keys, upstreamPort, port, httpsPort, tls }: Serving): Promise<void> {
  const target = { port: upstreamPort, agent: new Agent({ keepAlive: true }) };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const consumer = keys.get(String(request.headers['apikey']));
    if (consumer === undefined) {
      refuse(response);
      return;
    }
    request.headers['x-consumer-username'] = consumer;
    forward(request, response, target);
  };
  createServer(answer).listen(port, '127.0.0.1');
  createTlsServer(tls, answer).listen(httpsPort, '127.0.0.1');
}

if (import.meta.main) await servePeer(serve);
