import type { Identity } from '#plugins/plugin.ts';
import type { ServiceEntry, Target } from '#table/service-entry.ts';
import type { ProxyExchange } from './exchange.ts';
import { classifyHeader } from './header-class.ts';

/** What a worker knows that goes into every forwarded request. */
export interface HopInfo {
  /** Port that the client reached, for X-Forwarded-Port. */
  readonly port: string;
  /** `1.1 latchkey/0.1.0`. */
  readonly via: string;
}

/** Connection options that name no header of their own. */
const plainOptions = new Set(['keep-alive', 'close', 'upgrade', 'te', '']);

/** Headers that the client's Connection names: they are for us alone (RFC 9110 section 7.6.1). */
function nominated(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  const names = connection.split(',').map((name) => name.trim().toLowerCase());
  const named = names.filter((name) => !plainOptions.has(name));
  return named.length === 0 ? undefined : new Set(named);
}

/** Node writes strings as Latin-1; text that is not ASCII travels as the bytes of its UTF-8. */
function headerText(value: string): string {
  // eslint-disable-next-line no-control-regex -- the range is that of ASCII
  return /^[\u0000-\u007f]*$/.test(value) ? value : Buffer.from(value, 'utf8').toString('latin1');
}

/** Who the caller is, as Kong tells it (kong-facts 1.5). */
function pushIdentity(headers: string[], { consumer, credentialId }: Identity): void {
  headers.push('X-Consumer-ID', consumer.id);
  if (consumer.customId !== undefined) headers.push('X-Consumer-Custom-ID', headerText(consumer.customId));
  if (consumer.username !== undefined) headers.push('X-Consumer-Username', headerText(consumer.username));
  if (credentialId === undefined) headers.push('X-Anonymous-Consumer', 'true');
  else headers.push('X-Credential-Identifier', credentialId);
}

/** IPv4 addresses reach a dual-stack listener as `::ffff:127.0.0.1`. */
function clientAddress(exchange: ProxyExchange): string {
  const address = exchange.request.socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

function pushForwarded(headers: string[], exchange: ProxyExchange, forwardedFor: string, hop: HopInfo): void {
  const { route, matchedLength } = exchange.match;
  const { guarded } = exchange;
  const address = clientAddress(exchange);
  headers.push('X-Real-IP', address);
  headers.push('X-Forwarded-For', forwardedFor === '' ? address : `${forwardedFor}, ${address}`);
  headers.push('X-Forwarded-Proto', 'http', 'X-Forwarded-Host', guarded.host, 'X-Forwarded-Port', hop.port);
  headers.push('X-Forwarded-Path', guarded.rawPath);
  if (route.stripPath && matchedLength > 1) headers.push('X-Forwarded-Prefix', guarded.path.slice(0, matchedLength));
}

/** The Host that the upstream gets (kong-facts 2.3). */
function upstreamHost(exchange: ProxyExchange, service: ServiceEntry, target: Target): string {
  if (exchange.match.route.preserveHost) return exchange.guarded.authority;
  if (service.hostHeader !== undefined) return service.hostHeader;
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return target.port === 80 ? host : `${host}:${target.port}`;
}

/**
 * The headers of the forwarded request, as a flat list of names and values. The client's own are taken out
 * first (hop-by-hop, those that Connection names, identity in any spelling), then ours are added: nothing
 * that a client sends can pass for ours.
 */
export function upstreamHeaders(
  exchange: ProxyExchange,
  to: { readonly service: ServiceEntry; readonly target: Target },
  requestId: string,
  hop: HopInfo,
): string[] {
  const raw = exchange.request.rawHeaders;
  const dropped = nominated(exchange.request.headers.connection);
  const { removedHeaders, replacedBody } = exchange;
  const headers: string[] = ['Host', upstreamHost(exchange, to.service, to.target)];
  let forwardedFor = '';
  let via = '';
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const value = raw[i + 1] ?? '';
    const header = classifyHeader(name);
    if (header.class === 'drop' || dropped?.has(header.lower) === true || removedHeaders?.has(header.lower) === true)
      continue;
    if (header.class === 'forward') headers.push(name, value);
    else if (header.class === 'x-forwarded-for')
      forwardedFor = forwardedFor === '' ? value : `${forwardedFor}, ${value}`;
    else if (header.class === 'via') via = via === '' ? value : `${via}, ${value}`;
    else if (header.class === 'te') {
      if (/(?:^|,)\s*trailers\s*(?:[,;]|$)/i.test(value)) headers.push('TE', 'trailers');
    } else if (
      replacedBody === undefined ||
      (header.class === 'content-type' && replacedBody.contentType === undefined)
    ) {
      headers.push(name, value);
    }
  }
  pushForwarded(headers, exchange, forwardedFor, hop);
  headers.push('Via', via === '' ? hop.via : `${via}, ${hop.via}`, 'X-Kong-Request-Id', requestId);
  if (exchange.identity !== undefined) pushIdentity(headers, exchange.identity);
  for (const [name, value] of exchange.addedHeaders ?? []) headers.push(name, headerText(value));
  if (replacedBody !== undefined) {
    headers.push('Content-Length', String(replacedBody.bytes.byteLength));
    if (replacedBody.contentType !== undefined) headers.push('Content-Type', replacedBody.contentType);
  }
  return headers;
}
