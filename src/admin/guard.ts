import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { AdminError } from './errors.ts';

const localName = /^(?:[\w.-]+\.)?localhost$/i;

/** The name or address in `name:port`, brackets of IPv6 taken off. */
const hostOf = (authority: string): string => authority.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');

const isLoopback = (host: string): boolean => localName.test(host) || /^127\.|^::1$/.test(isIP(host) > 0 ? host : '');

/** Whether an Origin is a page that this machine serves itself. */
export function isLocalOrigin(origin: string): boolean {
  const authority = /^https?:\/\/([^/@]+)$/i.exec(origin)?.[1];
  return authority !== undefined && isLoopback(hostOf(authority));
}

/**
 * Keeps a browser from being used against the Admin API, which has no password on loopback: a page on the
 * web cannot write (its Origin is foreign), and cannot rebind its own name to this address to read (its
 * Host is that name; an address cannot be rebound). Stricter than Kong.
 *
 * @throws AdminError 403
 */
export function guardAdmin(request: FastifyRequest): void {
  const { host = '', origin, 'sec-fetch-site': site } = request.headers;
  const isOnLoopback = /^(?:127\.|::1$|::ffff:127\.)/.test(request.socket.localAddress ?? '');
  const name = hostOf(host);
  if (isOnLoopback && name !== '' && isIP(name) === 0 && !localName.test(name)) {
    throw new AdminError(403, { message: `the Admin API is not served under the name ${name}` });
  }
  if (['GET', 'HEAD', 'OPTIONS'].includes(request.method)) return;
  const isForeign = (origin !== undefined && !isLocalOrigin(origin)) || site === 'cross-site';
  if (isForeign) throw new AdminError(403, { message: 'writes from a web page of another site are refused' });
}
