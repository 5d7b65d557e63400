/** A bug: in whatever thread has loaded this, a request for `/hang` never gives the event loop back. */
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { parentPort } from 'node:worker_threads';

subscribe('http.server.request.start', (message) => {
  const { request } = message as { readonly request: IncomingMessage };
  if (request.url === '/hang') parentPort?.postMessage({ type: 'hanging' });
  while (request.url === '/hang');
});
