import { RE2JS } from 're2js';
import type { HeaderMatch, RouteEntry } from '#table/route-entry.ts';

/** What a route may want to know of a request besides host and path; Node's own request has it. */
export interface RequestTraits {
  readonly method?: string | undefined;
  /** Each value of a header as it came, by lower-case name. */
  readonly headersDistinct: Readonly<Record<string, readonly string[] | undefined>>;
  readonly socket: {
    /** Whether it came over TLS, and for which server name. */
    readonly encrypted?: boolean;
    readonly servername?: string | false | null;
  };
}

/** Compiled once; an entry that is replaced takes its expression along. */
const expressions = new WeakMap<HeaderMatch, RE2JS>();

function expressionOf(match: HeaderMatch & { readonly regex: string }): RE2JS {
  let expression = expressions.get(match);
  if (expression === undefined) {
    expressions.set(match, (expression = RE2JS.compile(match.regex, RE2JS.CASE_INSENSITIVE)));
  }
  return expression;
}

function headerHolds(match: HeaderMatch, { headersDistinct }: RequestTraits): boolean {
  const values = headersDistinct[match.name] ?? [];
  if ('regex' in match) return values.some((value) => expressionOf(match).matcher(value).find());
  return values.some((value) => match.values.includes(value.toLowerCase()));
}

/** A server name, or a wildcard for one label more. Requests without TLS have none and are not asked. */
function sniHolds(snis: readonly string[], { socket }: RequestTraits): boolean {
  if (socket.encrypted !== true) return true;
  if (typeof socket.servername !== 'string') return false;
  const name = socket.servername.toLowerCase();
  const dot = name.indexOf('.');
  return snis.includes(name) || (dot !== -1 && snis.includes(`*${name.slice(dot)}`));
}

/** Whether a request has the method, the headers and the server name that a route wants (kong-facts 2.7). */
export function conditionsHold({ methods, headers, snis }: RouteEntry, request: RequestTraits): boolean {
  if (methods !== undefined && !methods.includes(request.method ?? '')) return false;
  if (headers !== undefined && !headers.every((match) => headerHolds(match, request))) return false;
  return snis === undefined || sniHolds(snis, request);
}

/**
 * The order of routes that differ in nothing but these: more headers first, then those that want a method, then
 * those that want a server name, then the older, then by key. Kong's `traditional` order, with an end.
 */
export function compareConditions(a: RouteEntry, b: RouteEntry): number {
  const headers = (b.headers?.length ?? 0) - (a.headers?.length ?? 0);
  if (headers !== 0) return headers;
  const methods = Number(b.methods !== undefined) - Number(a.methods !== undefined);
  if (methods !== 0) return methods;
  const snis = Number(b.snis !== undefined) - Number(a.snis !== undefined);
  if (snis !== 0) return snis;
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1;
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
