import type { Identity } from '#plugins/plugin.ts';
import type { ServiceEntry, Target } from '#table/service-entry.ts';
import type { ProxyExchange } from './exchange.ts';
import { asksForTrailers, classifyHeader, isOrdinaryHeader, type HeaderClass } from './header-class.ts';
import { addressOf, hostOfTarget } from './target-address.ts';

/** What a worker knows that goes into every forwarded request. */
export interface HopInfo {
  /** How the client came, for X-Forwarded-Proto. */
  readonly proto: 'http' | 'https';
  /** Port that the client reached, for X-Forwarded-Port. */
  readonly port: string;
  /** `1.1 latchkey/0.1.0`. */
  readonly via: string;
  /** Whether the upstream learns the request's id. */
  readonly sendsRequestId: boolean;
  /** The same of requests that came over HTTP/2 (RFC 9110 section 7.6.3). */
  readonly viaHttp2: string;
  /** For who came over HTTP/1.0. */
  readonly viaHttp10: string;
}

/** Connection options that name no header of their own, or one whose meaning is not the client's to take away. */
const plainOptions = new Set(['keep-alive', 'close', 'upgrade', 'te', 'content-length', '']);

/** Headers that the client's Connection names: they are for us alone (RFC 9110 section 7.6.1). */
function nominated(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  const names = connection.split(',').map((name) => name.trim().toLowerCase());
  const named = names.filter((name) => !plainOptions.has(name));
  return named.length === 0 ? undefined : new Set(named);
}

// eslint-disable-next-line no-control-regex -- the range is that of ASCII without what ends a line
const plainText = /^[\t\u0020-\u007e]*$/;

/**
 * A value of ours as it can be sent: text that is not ASCII travels as the bytes of its UTF-8 (a header's
 * text is written as Latin-1).
 *
 * @throws Error for a control character: it would write headers of its own
 */
function headerText(value: string): string {
  if (plainText.test(value)) return value;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) throw new Error('a header value has a control character');
  return Buffer.from(value, 'utf8').toString('latin1');
}

/** Who the caller is, as Kong tells it (kong-facts 1.5). */
function pushIdentity(headers: string[], { consumer, credentialId }: Identity): void {
  headers.push('X-Consumer-ID', consumer.id);
  if (consumer.customId !== undefined) headers.push('X-Consumer-Custom-ID', headerText(consumer.customId));
  if (consumer.username !== undefined) headers.push('X-Consumer-Username', headerText(consumer.username));
  if (credentialId === undefined) headers.push('X-Anonymous-Consumer', 'true');
  else headers.push('X-Credential-Identifier', headerText(credentialId));
}

/** A node or host as a parameter of Forwarded: what is no token stands in quotes (RFC 7239 section 4). */
const forwardedValue = (text: string): string =>
  /^[A-Za-z0-9._-]+$/.test(text) ? text : `"${text.includes(':') && !text.startsWith('[') ? `[${text}]` : text}"`;

/** How the client came: what we know of it, or where a trusted peer speaks for it, what that one says. */
function pushForwarded(headers: string[], exchange: ProxyExchange, gathered: Gathered, hop: HopInfo): void {
  const { fromTrusted, forwardedFor } = gathered;
  const { guarded, peerAddress } = exchange;
  const address = fromTrusted === undefined ? peerAddress : exchange.clientAddress;
  headers.push('X-Real-IP', address);
  headers.push('X-Forwarded-For', forwardedFor === '' ? address : `${forwardedFor}, ${peerAddress}`);
  if (fromTrusted !== undefined) return pushTold(headers, exchange, fromTrusted, hop);
  headers.push('X-Forwarded-Proto', hop.proto, 'X-Forwarded-Host', guarded.host, 'X-Forwarded-Port', hop.port);
  headers.push('X-Forwarded-Path', guarded.rawPath);
  const prefix = strippedPrefix(exchange);
  if (prefix !== undefined) headers.push('X-Forwarded-Prefix', prefix);
}

function pushTold(headers: string[], exchange: ProxyExchange, told: ReadonlyMap<string, string>, hop: HopInfo): void {
  const { guarded, peerAddress } = exchange;
  const pushTrusted = (name: string, ours: string | undefined): void => {
    const value = told.get(name.toLowerCase()) ?? ours;
    if (value !== undefined) headers.push(name, value);
  };
  pushTrusted('X-Forwarded-Proto', hop.proto);
  pushTrusted('X-Forwarded-Host', guarded.host);
  pushTrusted('X-Forwarded-Port', hop.port);
  pushTrusted('X-Forwarded-Path', guarded.rawPath);
  pushTrusted('X-Forwarded-Prefix', strippedPrefix(exchange));
  const forwarded = told.get('forwarded');
  if (forwarded === undefined) return;
  const peer = `for=${forwardedValue(peerAddress)};host=${forwardedValue(guarded.host)};proto=${hop.proto}`;
  headers.push('Forwarded', append(forwarded, peer));
}

function strippedPrefix({ match, guarded }: ProxyExchange): string | undefined {
  const { route, matchedLength } = match;
  return route.stripPath && matchedLength > 1 ? guarded.path.slice(0, matchedLength) : undefined;
}

/** The Host that the upstream gets (kong-facts 2.3). */
function upstreamHost(exchange: ProxyExchange, service: ServiceEntry, target: Target): string {
  // HTTP/1.0 needs no Host, and an empty one is refused by many.
  if (exchange.match.route.preserveHost && exchange.guarded.authority !== '') return exchange.guarded.authority;
  if (service.hostHeader !== undefined) return service.hostHeader;
  return target.port === (service.tls === undefined ? 80 : 443) ? hostOfTarget(target) : addressOf(target);
}

/** What is gathered from the client's headers before ours are added. */
interface Gathered {
  readonly headers: string[];
  forwardedFor: string;
  via: string;
  /** Said once, however often the client does. */
  asksForTrailers: boolean;
  /** What a trusted peer says besides, by lower-case name; undefined if the peer is not trusted. */
  readonly fromTrusted: Map<string, string> | undefined;
}

const append = (list: string, value: string): string => (list === '' ? value : `${list}, ${value}`);

/** A header of the body survives a plugin's replacement only if it still describes it. */
function describesBody(headerClass: HeaderClass, { replacedBody }: ProxyExchange): boolean {
  return replacedBody === undefined || (headerClass === 'content-type' && replacedBody.contentType === undefined);
}

function keepTold(told: Map<string, string> | undefined, lower: string, value: string): void {
  told?.set(lower, append(told.get(lower) ?? '', value));
}

function gather(
  gathered: Gathered,
  header: { readonly name: string; readonly value: string },
  exchange: ProxyExchange,
): void {
  const { name, value } = header;
  const { class: headerClass, lower } = classifyHeader(name);
  switch (headerClass) {
    case 'forward':
      gathered.headers.push(name, value);
      break;
    case 'x-forwarded-for':
      gathered.forwardedFor = append(gathered.forwardedFor, value);
      break;
    case 'trusted':
      keepTold(gathered.fromTrusted, lower, value);
      break;
    case 'via':
      gathered.via = append(gathered.via, value);
      break;
    case 'te':
      gathered.asksForTrailers ||= asksForTrailers(value);
      break;
    case 'content-length':
    case 'content-type':
      if (describesBody(headerClass, exchange)) gathered.headers.push(name, value);
      break;
    case 'drop':
      break;
  }
}

/** What the client sent and may go on: without what `Connection` names and what plugins took away. */
function gatherClientHeaders(exchange: ProxyExchange, gathered: Gathered): void {
  const raw = exchange.request.rawHeaders;
  const dropped = nominated(exchange.request.headers.connection);
  const { removedHeaders } = exchange;
  const isAllKept = dropped === undefined && removedHeaders === undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (isAllKept && isOrdinaryHeader(name)) {
      gathered.headers.push(name, raw[i + 1] ?? '');
      continue;
    }
    if (dropped !== undefined && dropped.has(classifyHeader(name).lower)) continue;
    if (removedHeaders !== undefined && removedHeaders.has(classifyHeader(name).lower)) continue;
    gather(gathered, { name, value: raw[i + 1] ?? '' }, exchange);
  }
}

/** The version that the request came by (RFC 9110 section 7.6.3). */
function viaOf(httpVersion: string, { via, viaHttp2, viaHttp10 }: HopInfo): string {
  if (httpVersion === '1.1') return via;
  return httpVersion === '1.0' ? viaHttp10 : viaHttp2;
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
  const headers: string[] = ['Host', upstreamHost(exchange, to.service, to.target)];
  const fromTrusted = exchange.isPeerTrusted ? new Map<string, string>() : undefined;
  const gathered: Gathered = { headers, forwardedFor: '', via: '', asksForTrailers: false, fromTrusted };
  gatherClientHeaders(exchange, gathered);
  if (gathered.asksForTrailers) headers.push('TE', 'trailers');
  pushForwarded(headers, exchange, gathered, hop);
  headers.push('Via', append(gathered.via, viaOf(exchange.request.httpVersion, hop)));
  if (hop.sendsRequestId) headers.push('X-Kong-Request-Id', requestId);
  if (exchange.identity !== undefined) pushIdentity(headers, exchange.identity);
  for (const [name, value] of exchange.addedHeaders ?? []) headers.push(name, headerText(value));
  const { replacedBody } = exchange;
  if (replacedBody !== undefined) {
    headers.push('Content-Length', String(replacedBody.bytes.byteLength));
    if (replacedBody.contentType !== undefined) headers.push('Content-Type', replacedBody.contentType);
  }
  return headers;
}
