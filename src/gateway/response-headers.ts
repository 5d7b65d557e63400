/** Response headers that end at the gateway (RFC 9110 section 7.6.1). Node frames the body itself. */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'trailer']);

/** What the gateway adds to a response that it forwards (kong-facts 2.4). */
export interface ResponseExtras {
  readonly requestId: string;
  readonly server: string;
  readonly via: string;
  readonly upstreamLatencyMs: number;
  readonly proxyLatencyMs: number;
}

export interface ForwardedHeaders {
  readonly headers: string[];
  /** Content-Length as it stands there; undefined when there is none. */
  readonly contentLength: number | undefined;
}

/**
 * The headers that the client gets: the upstream's without hop-by-hop ones and those that its Connection
 * names, then ours.
 *
 * @param raw flat list of names and values as the upstream sent them
 */
export function clientHeaders(raw: readonly string[], extras: ResponseExtras): ForwardedHeaders {
  const headers: string[] = [];
  let via = '';
  let hasServer = false;
  let contentLength: number | undefined;
  let named: Set<string> | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const lower = (raw[i] ?? '').toLowerCase();
    const value = raw[i + 1] ?? '';
    if (lower === 'connection') named = namedBy(value, named);
    if (hopByHop.has(lower) || lower === 'x-kong-request-id') continue;
    if (lower === 'via') {
      via = via === '' ? value : `${via}, ${value}`;
      continue;
    }
    if (lower === 'server') hasServer = true;
    if (lower === 'content-length') contentLength = Number(value);
    headers.push(raw[i] ?? '', value);
  }
  const kept = named === undefined ? headers : without(headers, named);
  if (!hasServer) kept.push('Server', extras.server);
  kept.push('Via', via === '' ? extras.via : `${via}, ${extras.via}`);
  kept.push('X-Kong-Upstream-Latency', String(extras.upstreamLatencyMs));
  kept.push('X-Kong-Proxy-Latency', String(extras.proxyLatencyMs), 'X-Kong-Request-Id', extras.requestId);
  return { headers: kept, contentLength };
}

function namedBy(connection: string, before: Set<string> | undefined): Set<string> | undefined {
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
