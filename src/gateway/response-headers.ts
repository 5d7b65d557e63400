import { readContentLength } from './content-length.ts';
import { fieldValue } from './field-value.ts';
import { screenFor } from './header-class.ts';
import { lowerName } from './header-name.ts';
import type { HeaderSettings } from './proxy-settings.ts';

/** Response headers that end at the gateway (RFC 9110 section 7.6.1). Node frames the body itself. */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'trailer']);

/** All that need a second look; others go on as they came. */
const mayMatter = screenFor([...hopByHop, 'x-kong-request-id', 'via', 'server', 'content-length']);

/** Of these an interim response says nothing: it has no body, and the id of the request is ours to state. */
const notInInterim = new Set([...hopByHop, 'content-length', 'x-kong-request-id']);

/** What a response without a body may not say. */
const ofBodyAlone = new Set(['content-length']);

/** A header that a plugin adds to the answer. */
export interface ResponseHeader {
  readonly name: string;
  readonly value: string;
  /** Whether it takes the place of what has the same name. */
  readonly isSole: boolean;
}

/** A flat list of names and values with what plugins add to it. */
export function withPluginHeaders(headers: string[], added: readonly ResponseHeader[] | undefined): string[] {
  if (added === undefined) return headers;
  const replaced = new Set(added.filter(({ isSole }) => isSole).map(({ name }) => name.toLowerCase()));
  const all = replaced.size === 0 ? headers : without(headers, replaced);
  for (const { name, value } of added) all.push(name, fieldValue(value));
  return all;
}

/** What the gateway adds to a response that it forwards (kong-facts 2.4). */
export interface ResponseExtras {
  readonly requestId: string;
  readonly server: string;
  readonly via: string;
  /** Which of these headers are sent. */
  readonly shown: HeaderSettings;
  readonly upstreamStatus: number;
  readonly upstreamLatencyMs: number;
  readonly proxyLatencyMs: number;
}

export interface ForwardedHeaders {
  readonly headers: string[];
  /** Content-Length as it stands there; undefined when there is none. */
  readonly contentLength: number | undefined;
  /** The upstream's Trailer; it is not among the headers. */
  readonly trailer: string | undefined;
}

/** What is known of an upstream's headers while they are gone through. */
interface Seen {
  readonly headers: string[];
  via: string;
  hasServer: boolean;
  contentLength: number | undefined;
  trailer: string | undefined;
  named: Set<string> | undefined;
}

function see(seen: Seen, name: string, value: string): void {
  if (!mayMatter(name)) return void seen.headers.push(name, value);
  const lower = lowerName(name);
  // Compared one by one: a look-up would hash a name that the parser has just made.
  switch (lower) {
    case 'connection':
      seen.named = namedBy(value, seen.named);
      return;
    case 'trailer':
      seen.trailer = seen.trailer === undefined ? value : `${seen.trailer}, ${value}`;
      return;
    case 'via':
      seen.via = seen.via === '' ? value : `${seen.via}, ${value}`;
      return;
    // The request id is ours to state, also where the upstream is a gateway itself.
    case 'x-kong-request-id':
      return;
    case 'server':
      seen.hasServer = true;
      break;
    case 'content-length':
      seen.contentLength = readContentLength(value);
      break;
    default:
      if (hopByHop.has(lower)) return;
  }
  seen.headers.push(name, value);
}

/**
 * The headers that the client gets: the upstream's without hop-by-hop ones and those that its Connection
 * names, then ours.
 *
 * @param raw flat list of names and values as the upstream sent them
 */
export function clientHeaders(raw: readonly string[], extras: ResponseExtras): ForwardedHeaders {
  const seen: Seen = {
    headers: [],
    via: '',
    hasServer: false,
    contentLength: undefined,
    trailer: undefined,
    named: undefined,
  };
  for (let i = 0; i < raw.length; i += 2) see(seen, raw[i] ?? '', raw[i + 1] ?? '');
  let kept = seen.named === undefined ? seen.headers : without(seen.headers, seen.named);
  if (extras.upstreamStatus === 204 && seen.contentLength !== undefined) {
    kept = without(kept, ofBodyAlone); // RFC 9110 section 8.6
    seen.contentLength = undefined;
  }
  pushOwn(kept, seen, extras);
  return { headers: kept, contentLength: seen.contentLength, trailer: seen.trailer };
}

/** The headers of an interim response that go on; the final one says what is ours. */
export function interimHeaders(raw: readonly string[]): string[] {
  return without(raw, notInInterim);
}

function pushOwn(headers: string[], { hasServer, via }: Seen, extras: ResponseExtras): void {
  const { shown } = extras;
  if (shown.server && !hasServer) headers.push('Server', extras.server);
  // The upstream's own stays whatever is shown of ours.
  if (shown.via) headers.push('Via', via === '' ? extras.via : `${via}, ${extras.via}`);
  else if (via !== '') headers.push('Via', via);
  if (shown.upstreamStatus) headers.push('X-Kong-Upstream-Status', String(extras.upstreamStatus));
  if (shown.upstreamLatency) headers.push('X-Kong-Upstream-Latency', String(extras.upstreamLatencyMs));
  if (shown.proxyLatency) headers.push('X-Kong-Proxy-Latency', String(extras.proxyLatencyMs));
  if (shown.requestId) headers.push('X-Kong-Request-Id', extras.requestId);
}

function namedBy(connection: string, before: Set<string> | undefined): Set<string> | undefined {
  if (connection === 'keep-alive' || connection === 'close') return before;
  const names = connection
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  // The framing of the message is not the upstream's to take away.
  const foreign = names.filter(
    (name) => name !== '' && !hopByHop.has(name) && name !== 'close' && name !== 'content-length',
  );
  return foreign.length === 0 ? before : new Set([...(before ?? []), ...foreign]);
}

function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!names.has((headers[i] ?? '').toLowerCase())) kept.push(headers[i] ?? '', headers[i + 1] ?? '');
  }
  return kept;
}
