import type { RouteEntry } from '#table/route-entry.ts';
import type { Answer } from './answer.ts';
import type { ProxyExchange } from './exchange.ts';
import { isAuthority } from './request-guard.ts';

/**
 * The answer to a request over http for a route that takes only https (kong-facts 2.1), or undefined where it may
 * go on. It is given once the route was chosen: no other route gets the request instead.
 */
export function httpsRedirect(
  { protocols, httpsRedirectStatus }: RouteEntry,
  exchange: Pick<ProxyExchange, 'scheme' | 'guarded' | 'isPeerTrusted' | 'headerValues'>,
): Answer | undefined {
  if (protocols === undefined || exchange.scheme === 'https') return undefined;
  if (protocols.includes('http') || protocols.includes('grpc')) return undefined;
  // A trusted proxy that the client came to over https has spoken for it.
  if (exchange.isPeerTrusted && exchange.headerValues('x-forwarded-proto')[0]?.toLowerCase() === 'https') {
    return undefined;
  }
  if (httpsRedirectStatus === undefined) {
    const headers = [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'TLS/1.2, HTTP/1.1'],
    ] as const;
    return { status: 426, message: 'Please use HTTPS protocol', headers };
  }
  const { rawPath, hasQuery, query } = exchange.guarded;
  const location = `https://${forwardedHost(exchange)}${rawPath}${hasQuery ? `?${query}` : ''}`;
  return { status: httpsRedirectStatus, message: '', body: { text: '' }, headers: [['Location', location]] };
}

/** The host that the client asked for, as a trusted proxy tells it; one that is none is not repeated. */
function forwardedHost(exchange: Pick<ProxyExchange, 'guarded' | 'isPeerTrusted' | 'headerValues'>): string {
  const told = exchange.isPeerTrusted ? exchange.headerValues('x-forwarded-host')[0] : undefined;
  return told !== undefined && isAuthority(told) ? told : exchange.guarded.host;
}
