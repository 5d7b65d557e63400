import { RE2JS } from 're2js';
import type { RouteEntry } from '#table/route-entry.ts';
import type { HashInput } from '#table/upstream-policy.ts';
import type { ProxyExchange } from './exchange.ts';
import { newRequestId } from './request-id.ts';

/** Value of a cookie that the client sent (RFC 6265 section 4.2.1). */
function cookieOf(exchange: ProxyExchange, name: string): string | undefined {
  for (const pair of (exchange.request.headers.cookie ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}

/** Sets the cookie for a client that has none, so that its next request goes where this one does. */
function giveCookie(exchange: ProxyExchange, name: string, path: string): string {
  const value = newRequestId();
  exchange.addResponseHeader('Set-Cookie', `${name}=${value}; Path=${path}; HttpOnly`);
  return value;
}

const expressions = new WeakMap<RouteEntry, RE2JS>();

/** A named group of the route's expression, in the path that it matched. */
function captureOf(exchange: ProxyExchange, name: string): string | undefined {
  const { route } = exchange.match;
  if (route.path.type !== 'regex') return undefined;
  let expression = expressions.get(route);
  if (expression === undefined) expressions.set(route, (expression = RE2JS.compile(route.path.value)));
  if (!Object.hasOwn(expression.namedGroups(), name)) return undefined;
  const matcher = expression.matcher(exchange.path);
  return matcher.lookingAt() ? (matcher.group(name) ?? undefined) : undefined;
}

function valueOf(input: HashInput, exchange: ProxyExchange): string | undefined {
  switch (input.from) {
    case 'ip':
      return exchange.clientAddress;
    case 'consumer':
      return exchange.identity?.consumer.id;
    case 'path':
      return exchange.path;
    case 'header': {
      const values = exchange.headerValues(input.name.toLowerCase());
      return values.length === 0 ? undefined : values.join(', ');
    }
    case 'query-arg':
      return new URLSearchParams(exchange.query).get(input.name) ?? undefined;
    case 'uri-capture':
      return captureOf(exchange, input.name);
    case 'cookie':
      return cookieOf(exchange, input.name) ?? giveCookie(exchange, input.name, input.path);
  }
}

/** What a request is told apart by: the first of the inputs that it has, or undefined (kong-facts 2.9). */
export function hashValue(inputs: readonly HashInput[], exchange: ProxyExchange): string | undefined {
  for (const input of inputs) {
    const value = valueOf(input, exchange);
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}
