import { RE2JS } from 're2js';
import type { RouteEntry } from '#table/route-entry.ts';

/** A route that a request belongs to, and how much of its path the route's own path took. */
export interface Match {
  readonly route: RouteEntry;
  /** Characters at the start of the path that strip-path takes away. */
  readonly matchedLength: number;
}

interface RegexRoute {
  readonly route: RouteEntry;
  readonly regex: RE2JS;
}

/** The routes of one host. */
interface HostRoutes {
  readonly exact: Map<string, RouteEntry>;
  readonly prefix: Map<string, RouteEntry>;
  readonly stringPrefix: Map<string, RouteEntry>;
  /** How many string prefixes there are of each length, and those lengths, longest first. */
  readonly stringPrefixCounts: Map<number, number>;
  stringPrefixLengths: readonly number[];
  regexes: readonly RegexRoute[];
}

/**
 * Finds the route of a request. The order, whatever order routes came in: an exact host, then the
 * wildcard, then no host; within a host an exact path, then a regular expression (the longest first),
 * then the longest prefix; last the default backend. A host without a fitting path falls through to the
 * next.
 */
export function createRouter() {
  const hosts = new Map<string, HostRoutes>();
  const routes = new Map<string, RouteEntry>();
  let fallback: RouteEntry | undefined;

  const addTo = (host: HostRoutes, route: RouteEntry): void => {
    const { path } = route;
    if (path.type === 'exact') host.exact.set(path.value, route);
    if (path.type === 'prefix') host.prefix.set(path.value, route);
    if (path.type === 'string-prefix') {
      host.stringPrefix.set(path.value, route);
      countLength(host, path.value.length, 1);
    }
    if (path.type === 'regex') {
      const regexes = [...host.regexes, { route, regex: RE2JS.compile(path.value) }];
      host.regexes = regexes.sort((a, b) => compareRegexRoutes(a.route, b.route));
    }
  };

  const removeFrom = (host: HostRoutes, route: RouteEntry): void => {
    const { path } = route;
    if (path.type === 'exact') host.exact.delete(path.value);
    if (path.type === 'prefix') host.prefix.delete(path.value);
    if (path.type === 'string-prefix') {
      host.stringPrefix.delete(path.value);
      countLength(host, path.value.length, -1);
    }
    if (path.type === 'regex') host.regexes = host.regexes.filter((other) => other.route.key !== route.key);
  };

  return {
    /** Adds a route whose key is not there. No two routes have the same host and path: claims see to it. */
    add(route: RouteEntry): void {
      routes.set(route.key, route);
      if (route.path.type === 'default') {
        fallback = route;
        return;
      }
      const host = hosts.get(route.host) ?? emptyHost();
      hosts.set(route.host, host);
      addTo(host, route);
    },

    /** Removes a route by its key, if it is there. */
    remove(key: string): void {
      const route = routes.get(key);
      if (route === undefined) return;
      routes.delete(key);
      if (fallback?.key === key) fallback = undefined;
      const host = hosts.get(route.host);
      if (host === undefined) return;
      removeFrom(host, route);
      if (isEmpty(host)) hosts.delete(route.host);
    },

    /**
     * @param host lower-case, without port and trailing dot
     * @param path normalised
     */
    match(host: string, path: string): Match | undefined {
      const exact = hosts.get(host);
      const found = exact === undefined ? undefined : matchPath(exact, path);
      if (found !== undefined) return found;
      const dot = host.indexOf('.');
      const wildcard = dot === -1 ? undefined : hosts.get(`*${host.slice(dot)}`);
      const any = hosts.get('');
      return (
        (wildcard === undefined ? undefined : matchPath(wildcard, path)) ??
        (any === undefined ? undefined : matchPath(any, path)) ??
        (fallback === undefined ? undefined : { route: fallback, matchedLength: 0 })
      );
    },
  };
}

function emptyHost(): HostRoutes {
  return {
    exact: new Map(),
    prefix: new Map(),
    stringPrefix: new Map(),
    stringPrefixCounts: new Map(),
    stringPrefixLengths: [],
    regexes: [],
  };
}

function isEmpty(host: HostRoutes): boolean {
  return host.exact.size + host.prefix.size + host.stringPrefix.size + host.regexes.length === 0;
}

function countLength(host: HostRoutes, length: number, change: 1 | -1): void {
  const count = (host.stringPrefixCounts.get(length) ?? 0) + change;
  if (count === 0) host.stringPrefixCounts.delete(length);
  else host.stringPrefixCounts.set(length, count);
  host.stringPrefixLengths = [...host.stringPrefixCounts.keys()].sort((a, b) => b - a);
}

function compareRegexRoutes(a: RouteEntry, b: RouteEntry): number {
  const byLength = expressionOf(b).length - expressionOf(a).length;
  return byLength === 0 ? (a.key < b.key ? -1 : 1) : byLength;
}

function expressionOf(route: RouteEntry): string {
  return route.path.type === 'regex' ? route.path.value : '';
}

function matchPath(host: HostRoutes, path: string): Match | undefined {
  const exact = host.exact.get(path);
  if (exact !== undefined) return { route: exact, matchedLength: path.length };
  for (const { route, regex } of host.regexes) {
    const matcher = regex.matcher(path);
    if (matcher.lookingAt()) return { route, matchedLength: matcher.end() };
  }
  const byElement = host.prefix.size === 0 ? undefined : longestPrefix(host.prefix, path);
  const byCharacter = longestStringPrefix(host, path);
  if (byElement === undefined || byCharacter === undefined) return byElement ?? byCharacter;
  return byCharacter.matchedLength > byElement.matchedLength ? byCharacter : byElement;
}

/** `/a/b/c` → the first of `/a/b/c`, `/a/b`, `/a`, `/` that is a prefix. */
function longestPrefix(prefixes: ReadonlyMap<string, RouteEntry>, path: string): Match | undefined {
  let end = path.length > 1 && path.endsWith('/') ? path.length - 1 : path.length;
  while (end > 0) {
    const route = prefixes.get(path.slice(0, end));
    if (route !== undefined) return { route, matchedLength: end };
    end = path.lastIndexOf('/', end - 1);
  }
  const root = prefixes.get('/');
  return root === undefined ? undefined : { route: root, matchedLength: 1 };
}

function longestStringPrefix(host: HostRoutes, path: string): Match | undefined {
  for (const length of host.stringPrefixLengths) {
    const route = length > path.length ? undefined : host.stringPrefix.get(path.slice(0, length));
    if (route !== undefined) return { route, matchedLength: length };
  }
  return undefined;
}
