import type { RouteEntry } from '#table/route-entry.ts';
import type { Answer } from './answer.ts';
import type { GuardedRequest } from './request-guard.ts';

/**
 * The answer to a request over http for a route that takes only https (kong-facts 2.1), or undefined where it may
 * go on. It is given once the route was chosen: no other route gets the request instead.
 */
export function httpsRedirect(
  { protocols, httpsRedirectStatus }: RouteEntry,
  scheme: 'http' | 'https',
  { host, rawPath, hasQuery, query }: GuardedRequest,
): Answer | undefined {
  if (protocols === undefined || scheme === 'https' || protocols.includes('http')) return undefined;
  if (httpsRedirectStatus === undefined) {
    const headers = [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'TLS/1.2, HTTP/1.1'],
    ] as const;
    return { status: 426, message: 'Please use HTTPS protocol', headers };
  }
  const location = `https://${host}${rawPath}${hasQuery ? `?${query}` : ''}`;
  return { status: httpsRedirectStatus, message: '', body: { text: '' }, headers: [['Location', location]] };
}
