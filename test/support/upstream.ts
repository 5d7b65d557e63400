import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as an upstream saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** Flat list of names and values, in the order and spelling they came in. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** A real upstream that answers 200 `upstream`, to /hang nothing ever, and remembers what it saw. */
export async function startUpstream(address = '127.0.0.1', listen = address) {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      seen.push({ method: request.method ?? '', path: request.url ?? '', rawHeaders: request.rawHeaders, body });
      if (request.url?.startsWith('/hang') === true) return;
      response.writeHead(200, { 'Content-Type': 'text/plain' });
      response.end('upstream');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, listen, resolve));
  return {
    server,
    address,
    port: (server.address() as AddressInfo).port,
    seen,
    /** Forgets what was seen and gives it. */
    take: (): SeenRequest[] => seen.splice(0),
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Every value of a header that an upstream saw. */
export function seenHeader(request: SeenRequest | undefined, name: string): string[] {
  const raw = request?.rawHeaders ?? [];
  return raw.flatMap((item, i) => (i % 2 === 0 && item.toLowerCase() === name.toLowerCase() ? [raw[i + 1] ?? ''] : []));
}
