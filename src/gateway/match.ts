/**
 * Finds the route of a request, by one total order that does not depend on the order in which routes came:
 *
 *   1. host        exact, then the wildcard (one label), then none
 *   2. path        exact; then regular expressions (the higher priority, then the longer expression); then the
 *                  longest prefix, of two as long the one by element; then the default backend of an Ingress
 *   3. conditions  more headers, then methods, then server names, then the older Ingress (route-conditions.ts)
 *
 * A route whose conditions do not hold leaves the request to the next in that order, to the last one of all
 * hosts. 1 and 2 are Kubernetes' rules (https://kubernetes.io/docs/concepts/services-networking/ingress/), the
 * rest is Kong's `traditional` order where they are silent. docs/routing.md has it for users.
 *
 * Cost: a look-up a host and a path element, whatever the number of routes; each regular expression and each
 * length of an ImplementationSpecific path of the host is tried.
 */
import { RE2JS } from 're2js';
import type { RouteEntry } from '#table/route-entry.ts';
import { compareConditions, conditionsHold, type RequestTraits } from './route-conditions.ts';

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

/** Routes of one host and path, the first of the order first. Nearly always there is one, and no list. */
type Bucket = RouteEntry | readonly RouteEntry[];
type Buckets = Map<string, Bucket>;

/** The routes of one host. Most hosts have routes of one sort: the others take no memory. */
interface HostRoutes {
  exact: Buckets | undefined;
  prefix: Buckets | undefined;
  stringPrefix: Buckets | undefined;
  /** Lengths of the string prefixes, longest first, each once. */
  stringPrefixLengths: readonly number[];
  /** In the order in which they are tried. */
  regexes: readonly RegexRoute[];
}

const none: readonly never[] = [];

/** See the head of this file. */
export function createRouter() {
  const hosts = new Map<string, HostRoutes>();
  const routes = new Map<string, RouteEntry>();
  const defaults: Buckets = new Map();

  return {
    /** Adds a route whose key is not there. */
    add(route: RouteEntry): void {
      routes.set(route.key, route);
      if (route.path.type === 'default') {
        addTo(defaults, '', route);
        return;
      }
      const host = hosts.get(route.host) ?? emptyHost();
      hosts.set(route.host, host);
      addToHost(host, route);
    },

    /** Removes a route by its key, if it is there. */
    remove(key: string): void {
      const route = routes.get(key);
      if (route === undefined) return;
      routes.delete(key);
      if (route.path.type === 'default') removeFrom(defaults, '', route);
      const host = hosts.get(route.host);
      if (host === undefined || route.path.type === 'default') return;
      removeFromHost(host, route);
      if (isEmpty(host)) hosts.delete(route.host);
    },

    /**
     * @param host lower-case, without port and trailing dot
     * @param path normalised
     */
    match(host: string, path: string, request: RequestTraits): Match | undefined {
      const exact = hosts.get(host);
      const found = exact === undefined ? undefined : matchPath(exact, path, request);
      if (found !== undefined) return found;
      const dot = host.indexOf('.');
      const wildcard = dot === -1 ? undefined : hosts.get(`*${host.slice(dot)}`);
      const any = host === '' ? undefined : hosts.get('');
      return (
        (wildcard === undefined ? undefined : matchPath(wildcard, path, request)) ??
        (any === undefined ? undefined : matchPath(any, path, request)) ??
        take(defaults.get(''), 0, request)
      );
    },
  };
}

function emptyHost(): HostRoutes {
  return { exact: undefined, prefix: undefined, stringPrefix: undefined, stringPrefixLengths: none, regexes: none };
}

function isEmpty({ exact, prefix, stringPrefix, regexes }: HostRoutes): boolean {
  return exact === undefined && prefix === undefined && stringPrefix === undefined && regexes.length === 0;
}

const listOf = (bucket: Bucket | undefined): readonly RouteEntry[] =>
  bucket === undefined ? none : 'key' in bucket ? [bucket] : bucket;

function addTo(buckets: Buckets, key: string, route: RouteEntry): Buckets {
  const bucket = buckets.get(key);
  buckets.set(key, bucket === undefined ? route : [...listOf(bucket), route].sort(compareConditions));
  return buckets;
}

/** Gives undefined when nothing is left. */
function removeFrom(buckets: Buckets | undefined, key: string, route: RouteEntry): Buckets | undefined {
  const left = listOf(buckets?.get(key)).filter((other) => other.key !== route.key);
  const [only] = left;
  if (only === undefined) buckets?.delete(key);
  else buckets?.set(key, left.length === 1 ? only : left);
  return buckets?.size === 0 ? undefined : buckets;
}

const lengthsOf = (buckets: Buckets): readonly number[] =>
  [...new Set([...buckets.keys()].map((value) => value.length))].sort((a, b) => b - a);

function addToHost(host: HostRoutes, route: RouteEntry): void {
  const { path } = route;
  if (path.type === 'exact') host.exact = addTo(host.exact ?? new Map(), path.value, route);
  if (path.type === 'prefix') host.prefix = addTo(host.prefix ?? new Map(), path.value, route);
  if (path.type === 'regex') host.regexes = withRegex(host.regexes, { route, regex: RE2JS.compile(path.value) });
  if (path.type !== 'string-prefix') return;
  host.stringPrefix = addTo(host.stringPrefix ?? new Map(), path.value, route);
  const { length } = path.value;
  if (!host.stringPrefixLengths.includes(length)) {
    host.stringPrefixLengths = [...host.stringPrefixLengths, length].sort((a, b) => b - a);
  }
}

function removeFromHost(host: HostRoutes, route: RouteEntry): void {
  const { path } = route;
  if (path.type === 'exact') host.exact = removeFrom(host.exact, path.value, route);
  if (path.type === 'prefix') host.prefix = removeFrom(host.prefix, path.value, route);
  if (path.type === 'regex') host.regexes = host.regexes.filter((other) => other.route.key !== route.key);
  if (path.type !== 'string-prefix') return;
  host.stringPrefix = removeFrom(host.stringPrefix, path.value, route);
  host.stringPrefixLengths = host.stringPrefix === undefined ? none : lengthsOf(host.stringPrefix);
}

/** A list with one more, in its place. */
function withRegex(regexes: readonly RegexRoute[], added: RegexRoute): readonly RegexRoute[] {
  const before = regexes.findIndex(({ route }) => compareRegexRoutes(added.route, route) < 0);
  return before === -1 ? [...regexes, added] : regexes.toSpliced(before, 0, added);
}

function compareRegexRoutes(a: RouteEntry, b: RouteEntry): number {
  const byPriority = (b.regexPriority ?? 0) - (a.regexPriority ?? 0);
  if (byPriority !== 0) return byPriority;
  const byLength = expressionOf(b).length - expressionOf(a).length;
  return byLength === 0 ? compareConditions(a, b) : byLength;
}

function expressionOf(route: RouteEntry): string {
  return route.path.type === 'regex' ? route.path.value : '';
}

/** The first of a bucket whose conditions hold. */
function take(bucket: Bucket | undefined, matchedLength: number, request: RequestTraits): Match | undefined {
  if (bucket === undefined) return undefined;
  if ('key' in bucket) return conditionsHold(bucket, request) ? { route: bucket, matchedLength } : undefined;
  const route = bucket.find((candidate) => conditionsHold(candidate, request));
  return route === undefined ? undefined : { route, matchedLength };
}

function matchPath(host: HostRoutes, path: string, request: RequestTraits): Match | undefined {
  const exact = host.exact === undefined ? undefined : take(host.exact.get(path), path.length, request);
  if (exact !== undefined) return exact;
  for (const { route, regex } of host.regexes) {
    if (!conditionsHold(route, request)) continue;
    const matcher = regex.matcher(path);
    if (matcher.lookingAt()) return { route, matchedLength: matcher.end() };
  }
  return matchPrefix(host, path, request);
}

/** `/a/b/c` → `/a/b` → `/a` → `/` (1 character) → nothing (0). */
function shorterElement(path: string, length: number): number {
  return length <= 1 ? 0 : Math.max(1, path.lastIndexOf('/', length - 1));
}

/** How long the longest prefix by element of a path may be; 0 where there are none. */
function longestElement({ prefix }: HostRoutes, path: string): number {
  if (prefix === undefined) return 0;
  return path.length > 1 && path.endsWith('/') ? path.length - 1 : path.length;
}

/** The longest prefix whose conditions hold; of two as long the one by element. */
function matchPrefix(host: HostRoutes, path: string, request: RequestTraits): Match | undefined {
  let byElement = longestElement(host, path);
  let next = 0;
  for (;;) {
    const byCharacter = host.stringPrefixLengths[next] ?? 0;
    const length = Math.max(byElement, byCharacter);
    if (length === 0) return undefined;
    const isElement = byElement === length;
    if (isElement) byElement = shorterElement(path, byElement);
    else next += 1;
    if (length > path.length) continue;
    const found = take((isElement ? host.prefix : host.stringPrefix)?.get(path.slice(0, length)), length, request);
    if (found !== undefined) return found;
  }
}
