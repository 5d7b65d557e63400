import { createServer, type Server, type ServerResponse } from 'node:http';

/** Whether traffic may be sent here, and if not, why. */
export interface Readiness {
  readonly ready: boolean;
  readonly reason?: string;
}

export interface ProbeOptions {
  readiness(): Readiness;
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
}

interface ProbeAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const text = (status: number, body: string): ProbeAnswer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body,
});
const json = (status: number, message: string): ProbeAnswer => ({
  status,
  contentType: 'application/json; charset=utf-8',
  body: JSON.stringify({ message }),
});

async function answer(path: string, options: ProbeOptions): Promise<ProbeAnswer> {
  const { ready, reason = 'not ready' } = options.readiness();
  switch (path) {
    case '/healthz':
      return text(200, 'ok');
    case '/readyz':
      return ready ? text(200, 'ok') : text(503, reason);
    case '/status/ready': // Kong's path for the same question (kong-facts 3.6)
      return ready ? json(200, 'ready') : json(503, reason);
    case '/metrics':
      return { status: 200, ...(await options.metrics()) };
    default:
      return json(404, 'Not found');
  }
}

function reply(response: ServerResponse, { status, contentType, body }: ProbeAnswer): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

/** The server that probes and Prometheus ask: alive, ready for traffic, metrics. */
export function createStatusServer(options: ProbeOptions): Server {
  return createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      reply(response, json(405, 'Method not allowed'));
      return;
    }
    const path = (request.url ?? '').split('?')[0] ?? '';
    answer(path, options).then(
      (found) => reply(response, found),
      (error: unknown) => reply(response, json(500, (error as Error).message)),
    );
  });
}
