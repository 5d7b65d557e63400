import type { FastifyRequest } from 'fastify';
import { AdminError } from './errors.ts';

const loopbackName = /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\]|::1)$/i;

const withoutPort = (authority: string): string => authority.replace(/:\d+$/, '');

/** Whether an Origin is a page that this machine serves itself. */
export function isLocalOrigin(origin: string): boolean {
  const host = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1];
  return host !== undefined && loopbackName.test(withoutPort(host));
}

/**
 * Keeps a browser from being used against the Admin API, which has no password on loopback: a page on the
 * web cannot write (its Origin is foreign), and cannot rebind its own name to this address to read (its
 * Host is that name). Stricter than Kong; hostile-cases 40.
 *
 * @throws AdminError 403
 */
export function guardAdmin(request: FastifyRequest): void {
  const { host = '', origin, 'sec-fetch-site': site } = request.headers;
  const isLoopback = /^(?:127\.|::1|::ffff:127\.)/.test(request.socket.localAddress ?? '');
  if (isLoopback && host !== '' && !loopbackName.test(withoutPort(host))) {
    throw new AdminError(403, { message: `the Admin API is not served under the name ${withoutPort(host)}` });
  }
  const isWrite = !['GET', 'HEAD', 'OPTIONS'].includes(request.method);
  if (!isWrite) return;
  const isForeign = (origin !== undefined && !isLocalOrigin(origin)) || site === 'cross-site';
  if (isForeign) throw new AdminError(403, { message: 'writes from a web page of another site are refused' });
}
