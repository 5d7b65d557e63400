/**
 * Bugs: in whatever thread has loaded this, a request for `/hang` never gives the event loop back, and one for `/die`
 * ends in an exception that nobody catches.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http2';
import { parentPort } from 'node:worker_threads';

function meet(path: string | undefined): void {
  if (path === '/die') throw new Error('a bug');
  if (path !== '/hang') return;
  parentPort?.postMessage({ type: 'hanging' });
  for (;;);
}

subscribe('http.server.request.start', (message) =>
  meet((message as { readonly request: IncomingMessage }).request.url),
);
subscribe('http2.server.stream.start', (message) =>
  meet((message as { readonly headers: IncomingHttpHeaders }).headers[':path']),
);
