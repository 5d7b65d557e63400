import { IncomingMessageClass } from './node-http.ts';
import { isIPv6 } from 'node:net';
import type { LiveLimits } from '#table/limits-entry.ts';
import { normalizePath, type PathRules } from '#table/normalize-path.ts';
import type { RequestMessage } from './client-message.ts';
import type { Answer } from './answer.ts';
import { lowerName } from './header-name.ts';
import type { RefusalReason } from './refusal-reason.ts';

/** A request that may be given a meaning. */
export interface GuardedRequest {
  /** Normalised; what is matched is what is forwarded. */
  readonly path: string;
  /** See `NormalPath`. */
  readonly otherReading: string | undefined;
  /** As the client sent it, for X-Forwarded-Path. */
  readonly rawPath: string;
  /** Without `?`; '' when there is none. */
  readonly query: string;
  /** Whether there is a `?` at all: an empty query is forwarded as one. */
  readonly hasQuery: boolean;
  /** Value of Host as it came. */
  readonly authority: string;
  /** Lower-case, without port and trailing dot. */
  readonly host: string;
}

/** A request that is refused before anything looks at it; its connection is closed. */
export interface GuardFault extends Answer {
  readonly reason: RefusalReason;
}

const faultOf = (status: number, message: string, reason: RefusalReason): GuardFault => ({
  status,
  message,
  reason,
  isLast: true,
  raisedBy: 'nginx',
});

const badFraming = faultOf(400, 'Bad request', 'framing');
const badHost = faultOf(400, 'Bad request', 'host');
const badTarget = faultOf(400, 'Bad request', 'target');
/** A path of which servers disagree on what it means. */
export const badPath = faultOf(400, 'Bad request', 'path');
const otherVersion = faultOf(505, 'HTTP version not supported', 'malformed');
const otherCoding = faultOf(501, 'Transfer coding not supported', 'framing');
const tooLongUri = faultOf(414, 'URI too long', 'uri-size');
export const tooManyHeaders = faultOf(431, 'Request header or cookie too large', 'header-count');
/** Over HTTP/2; of HTTP/1.1 Node's parser says so. */
export const tooLargeHead = faultOf(431, 'Request header or cookie too large', 'head-size');
export const tooLargeBody = faultOf(413, 'Payload too large', 'body-size');
/** No room for another WebSocket; nginx's text where it has none left (kong-facts 2.1). */
export const tooManyTunnels = faultOf(503, 'The upstream server is currently unavailable', 'tunnels');
/** After the switch nobody could say whose the bytes of a body are. */
export const upgradeWithBody = faultOf(400, 'Bad request', 'framing');
/** TRACE shows a client what proxies add; CONNECT would make the gateway one that goes anywhere. */
export const refusedMethod = faultOf(405, 'Method not allowed', 'method');
/** Any expectation but 100-continue (RFC 9110 section 10.1.1). */
export const unmetExpectation = faultOf(417, 'Expectation failed', 'expectation');

/**
 * The strictest reading of a request (RFC 9112, RFC 9110): what could mean one thing to us and another to
 * an upstream is refused. Node's parser has already refused malformed framing; this adds what it lets
 * through (hostile-cases C2).
 */
export function guardRequest(
  request: RequestMessage,
  rules: PathRules,
  limits: LiveLimits,
): GuardedRequest | GuardFault {
  const fault = startFault(request) ?? sizeFault(request, limits) ?? framingFault(request);
  if (fault !== undefined) return fault;
  const asked = soleHost(request);
  if (asked === undefined) return badHost;
  const { authority, host } = asked;
  const target = originForm(request.url ?? '', authority);
  if (target === undefined) return badTarget;
  const mark = target.indexOf('?');
  const rawPath = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark + 1);
  if (query.includes('#')) return badTarget;
  const normal = normalizePath(rawPath, rules);
  if ('fault' in normal) return badPath;
  const { path, otherReading } = normal;
  return { path, otherReading, rawPath, query, hasQuery: mark !== -1, authority, host };
}

/** Methods and versions that are not served. Node's parser of HTTP/1.1 takes other versions as well. */
function startFault(request: RequestMessage): GuardFault | undefined {
  if (request.method === 'TRACE') return refusedMethod;
  const { httpVersion } = request;
  if (httpVersion === '1.1' || httpVersion === '1.0') return undefined;
  // Over HTTP/1.1 Node tells of CONNECT by an event of its own.
  if (!(request instanceof IncomingMessageClass)) return request.method === 'CONNECT' ? refusedMethod : undefined;
  return request.httpVersionMajor > 1 ? otherVersion : badTarget;
}

/** Node bounds the bytes of a head; what else is too much, and has an answer of its own (RFC 9110 15.5.15, RFC 6585). */
function sizeFault({ url = '', rawHeaders }: RequestMessage, limits: LiveLimits): GuardFault | undefined {
  if (url.length > limits.uriBytes) return tooLongUri;
  return rawHeaders.length > limits.headerCount * 2 ? tooManyHeaders : undefined;
}

/** RFC 9112 sections 6.1, 6.3: only `chunked`, and not from HTTP/1.0; where it is not the last, no end can be known. */
function framingFault(request: RequestMessage): GuardFault | undefined {
  const coding = request.headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  if (request.httpVersion === '1.0') return badFraming;
  if (coding.toLowerCase() === 'chunked') return undefined;
  return /,[\t ]*chunked$/i.test(coding) ? otherCoding : badFraming;
}

/** What nearly every Host is. */
const plainAuthority = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?::(?:\d{1,4}|[1-5]\d{4}))?$/;

/** A name or an IPv4 address, an IPv6 address in brackets; then perhaps a port (RFC 3986 section 3.2). */
const authorityForm = /^(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[([0-9A-Fa-f:.]{2,45})\])(?::(\d{0,5}))?$/;

/** The longest name there is (RFC 1035 section 3.1), and a port. */
const authorityLength = 255 + 6;

/** Whether a text may be a host, with or without a port. */
export function isAuthority(text: string): boolean {
  if (text.length > authorityLength) return false;
  if (plainAuthority.test(text)) return true;
  const parts = authorityForm.exec(text);
  if (parts === null) return false;
  const [, address, port = ''] = parts;
  return (address === undefined || isIPv6(address)) && Number(port) <= 65_535;
}

/** RFC 9112 section 3.2: exactly one Host. Node joins or drops repeated ones, so the raw list is counted. */
function soleHost(request: RequestMessage): AskedHost | undefined {
  const raw = request.rawHeaders;
  let count = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (name.length === 4 && lowerName(name) === 'host') count += 1;
  }
  // RFC 9112 section 3.2: 400, but for HTTP/1.0, which has no hosts.
  if (count > 1 || (count === 0 && request.httpVersion === '1.1')) return undefined;
  return readHost(request.headers.host ?? '');
}

/** RFC 9112 section 3.2.2: the authority of an absolute-form target must be the Host that came with it. */
function originForm(target: string, authority: string): string | undefined {
  if (target.startsWith('/')) return target;
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(target);
  if (absolute?.[1]?.toLowerCase() !== authority.toLowerCase()) return undefined;
  const rest = absolute[2] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

interface AskedHost {
  readonly authority: string;
  /** `Example.COM.:8000` → `example.com`; `[::1]:8000` → `[::1]` (RFC 9110 section 4.2.3). */
  readonly host: string;
}

/** Hosts that were asked for, by authority: those of a worker are few, but clients choose how many. */
const askedHosts = new Map<string, AskedHost>();
const mostAskedHosts = 1_000;
/** The one before: to compare it costs less than to hash a text that the parser has just made. */
let latest: AskedHost | undefined;

/** The host that an authority names; undefined for one that cannot be. */
function readHost(authority: string): AskedHost | undefined {
  if (latest?.authority === authority) return latest;
  const known = askedHosts.get(authority);
  if (known !== undefined) return (latest = known);
  if (authority !== '' && !isAuthority(authority)) return undefined;
  const colon = authority.lastIndexOf(':');
  const name = colon === -1 || authority.endsWith(']') ? authority : authority.slice(0, colon);
  const lower = name.toLowerCase();
  const asked = { authority, host: lower.endsWith('.') ? lower.slice(0, -1) : lower };
  if (askedHosts.size >= mostAskedHosts) askedHosts.clear();
  askedHosts.set(authority, asked);
  return asked;
}
