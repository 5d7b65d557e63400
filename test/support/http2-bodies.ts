import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { onTestFinished } from 'vitest';
import { openHttp2 } from './http2-client.ts';

const [sessions, bodies, bodyBytes] = [8, 20, 2_000];

function post(session: ClientHttp2Session): void {
  if (session.closed || session.destroyed) return;
  const stream = session.request({ ':method': 'POST', ':path': '/' });
  stream.on('error', () => undefined);
  stream.resume();
  stream.end(Buffer.alloc(bodyBytes));
}

async function open(port: number): Promise<ClientHttp2Session> {
  const session = openHttp2(`http://127.0.0.1:${port}`);
  await once(session, 'remoteSettings');
  return session;
}

/**
 * Sends a request over HTTP/2 and, in the same write, others with bodies, so that whoever ends while it serves the first
 * has read the others already; meanwhile bodies come in on other connections as well. None of them is waited for.
 */
export async function askAmidBodies(port: number, path: string): Promise<void> {
  const [first, ...others] = await Promise.all(Array.from({ length: sessions }, async () => open(port)));
  const sending = setInterval(() => others.forEach(post), 1);
  onTestFinished(() => clearInterval(sending));
  await once((others[0] as ClientHttp2Session).request({ ':path': '/' }).resume(), 'close');
  first?.request({ ':path': path }).on('error', () => undefined);
  for (let i = 0; i < bodies; i += 1) if (first !== undefined) post(first);
}
