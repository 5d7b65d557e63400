import type { Server, ServerResponse } from 'node:http';

/** Whether traffic may be sent here, and if not, why. */
export interface Readiness {
  readonly ready: boolean;
  readonly reason?: string;
  /** What is wrong and does not keep traffic away, a line each. */
  readonly notes?: readonly string[];
}

export interface ProbeOptions {
  readiness(): Readiness;
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Not by an import, which would load all of undici: see gateway/node-http.ts. */
const { createServer } = process.getBuiltinModule('node:http');

interface ProbeAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const plain = (status: number, body: string): ProbeAnswer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body,
});
const json = (status: number, message: string): ProbeAnswer => ({
  status,
  contentType: 'application/json; charset=utf-8',
  body: JSON.stringify({ message }),
});

type Probe = (options: ProbeOptions) => ProbeAnswer | Promise<ProbeAnswer>;

/** Answers by readiness, in the words of whoever asks. */
const whenReady =
  (word: string, say: typeof plain): Probe =>
  (options) => {
    const { ready, reason = 'not ready', notes = [] } = options.readiness();
    return ready ? say(200, [word, ...notes].join('\n')) : say(503, reason);
  };

const probes = new Map<string, Probe>([
  ['/healthz', () => plain(200, 'ok')],
  ['/readyz', whenReady('ok', plain)],
  ['/status/ready', whenReady('ready', json)], // Kong's path for the same question (kong-facts 3.6)
  ['/metrics', async (options) => ({ status: 200, ...(await options.metrics()) })],
]);

async function answer(method: string, path: string, options: ProbeOptions): Promise<ProbeAnswer> {
  const probe = probes.get(path);
  if (probe === undefined) return json(404, 'Not found');
  if (method !== 'GET' && method !== 'HEAD') return json(405, 'Method not allowed');
  return probe(options);
}

function reply(response: ServerResponse, { status, contentType, body }: ProbeAnswer): void {
  const allow = status === 405 ? { Allow: 'GET, HEAD' } : {};
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body), ...allow });
  response.end(body); // of which Node sends nothing for HEAD
}

/** The server that probes and Prometheus ask: alive, ready for traffic, metrics. */
export function createStatusServer(options: ProbeOptions): Server {
  return createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    answer(request.method ?? '', path, options).then(
      (found) => reply(response, found),
      (error: unknown) => reply(response, json(500, (error as Error).message)),
    );
  });
}
