import { createServer, type IncomingMessage, type Server } from 'node:http';
import { UsageError } from './usage-error.ts';

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * An upstream to try things on: answers every path with the request it saw, as JSON.
 *
 * @throws UsageError if the port is taken
 */
export async function startEcho(port: number): Promise<Server> {
  const server = createServer((request, response) => {
    void bodyOf(request)
      .then((body) => {
        const { method, url, rawHeaders } = request;
        const headers = Object.fromEntries(
          rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1] ?? '']] : [])),
        );
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.end(`${JSON.stringify({ method, path: url, headers, body }, null, 2)}\n`);
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE';
      reject(isTaken ? new UsageError(`the echo upstream needs port ${port}, which is already taken`) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}
