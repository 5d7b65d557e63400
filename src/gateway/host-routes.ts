import type { RE2JS } from 're2js';
import type { RouteEntry } from '#table/route-entry.ts';
import { literalStart, pathExpression } from './path-expression.ts';
import { firstOf, withoutRoute, withRoute, type Bucket } from './route-bucket.ts';
import { compareConditions, conditionsHold, type RequestTraits } from './route-conditions.ts';
import type { ServedRoute } from './served-route.ts';
import { startOf, type TextIndex } from './text-index.ts';

/** A route that a request belongs to, and how much of its path the route's own path took. */
export interface Match {
  readonly route: ServedRoute;
  /** Characters at the start of the path that strip-path takes away. */
  readonly matchedLength: number;
}

interface RegexRoute {
  readonly route: ServedRoute;
  readonly source: string;
  /** What a path must begin with to be worth a try. */
  readonly start: string;
  /** Compiled when the first such path comes. */
  expression: RE2JS | undefined;
}

/** How many ImplementationSpecific paths there are of each length, and those lengths, longest first. */
interface CharacterPaths {
  readonly counts: Map<number, number>;
  lengths: readonly number[];
}

/** The routes of all hosts, by host and text of the path. */
export type PathIndex = TextIndex<Bucket>;

/** The routes of one host, but for those that are found in the index. */
export interface HostRoutes {
  readonly name: string;
  /** Where the hashes of its paths start. */
  readonly start: number;
  readonly paths: PathIndex;
  /** A bit for each length that a path of the host has, or had; other lengths need no look-up. See `bitOf`. */
  lengthBits: number;
  characterPaths: CharacterPaths | undefined;
  /** In the order in which they are tried. */
  regexes: RegexRoute[] | undefined;
  /** How many there are. */
  routes: number;
}

const noLengths: readonly number[] = [];

/** Lengths from 31 on share a bit. */
export const bitOf = (length: number): number => 1 << Math.min(length, 31);

export function emptyHost(name: string, paths: PathIndex): HostRoutes {
  return { name, start: startOf(name), paths, lengthBits: 0, characterPaths: undefined, regexes: undefined, routes: 0 };
}

export function addToHost(host: HostRoutes, route: ServedRoute): void {
  const { path } = route;
  if (path.type === 'default') return;
  host.routes += 1;
  if (path.type === 'regex')
    return addRegex(host, { route, source: path.value, start: literalStart(path.value), expression: undefined });
  host.paths.set(
    host.name,
    path.value,
    withRoute(host.paths.find(host.start, host.name, path.value, path.value.length), route),
  );
  host.lengthBits |= bitOf(path.value.length);
  if (path.type === 'string-prefix') countLength(host, path.value.length, 1);
}

export function removeFromHost(host: HostRoutes, route: RouteEntry): void {
  const { path } = route;
  if (path.type === 'default') return;
  host.routes -= 1;
  if (path.type === 'regex') return removeRegex(host, { route, source: path.value });
  const left = withoutRoute(host.paths.find(host.start, host.name, path.value, path.value.length), route);
  if (left === undefined) host.paths.delete(host.name, path.value);
  else host.paths.set(host.name, path.value, left);
  if (path.type === 'string-prefix') countLength(host, path.value.length, -1);
}

function countLength(host: HostRoutes, length: number, change: 1 | -1): void {
  const { counts } = (host.characterPaths ??= { counts: new Map<number, number>(), lengths: noLengths });
  const before = counts.get(length) ?? 0;
  const count = before + change;
  if (count === 0) counts.delete(length);
  else counts.set(length, count);
  if (counts.size === 0) host.characterPaths = undefined;
  else if (count === 0 || before === 0) host.characterPaths.lengths = [...counts.keys()].sort((a, b) => b - a);
}

interface Expression {
  readonly route: RouteEntry;
  readonly source: string;
}

/** The higher priority first, then the longer expression, then by conditions. Of two routes none are equal. */
function compareExpressions(a: Expression, b: Expression): number {
  const byPriority = (b.route.regexPriority ?? 0) - (a.route.regexPriority ?? 0);
  return byPriority || b.source.length - a.source.length || compareConditions(a.route, b.route);
}

/** Where an expression stands among others, or would. */
function placeOf(regexes: readonly RegexRoute[], wanted: Expression): number {
  let low = 0;
  let high = regexes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = regexes[middle];
    if (other !== undefined && compareExpressions(other, wanted) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function addRegex(host: HostRoutes, added: RegexRoute): void {
  host.regexes ??= [];
  host.regexes.splice(placeOf(host.regexes, added), 0, added);
}

function removeRegex(host: HostRoutes, removed: Expression): void {
  const { regexes = [] } = host;
  const place = placeOf(regexes, removed);
  if (regexes[place]?.route.key === removed.route.key) regexes.splice(place, 1);
  if (regexes.length === 0) host.regexes = undefined;
}

/** The routes whose path is the first characters of another. */
function bucketAt({ name, start, paths, lengthBits }: HostRoutes, path: string, length: number): Bucket | undefined {
  if ((lengthBits & bitOf(length)) === 0) return undefined;
  return paths.find(start, name, path, length);
}

/**
 * The first route of a host that fits; see the head of match.ts.
 *
 * @param whole the routes that have just this path
 */
export function matchPath(
  host: HostRoutes,
  path: string,
  whole: Bucket | undefined,
  request: RequestTraits,
): Match | undefined {
  const exact = firstOf(whole, 'whole', request);
  if (exact !== undefined) return { route: exact, matchedLength: path.length };
  const byExpression = host.regexes === undefined ? undefined : matchExpression(host.regexes, path, request);
  if (byExpression !== undefined) return byExpression;
  // No prefix is longer, unless the path ends in a slash.
  const longest = longestElement(path) < path.length ? undefined : firstOf(whole, 'elements', request);
  if (longest !== undefined) return { route: longest, matchedLength: path.length };
  return matchPrefix(host, path, request);
}

function matchExpression(regexes: readonly RegexRoute[], path: string, request: RequestTraits): Match | undefined {
  for (const candidate of regexes) {
    const { route, source, start } = candidate;
    if (!path.startsWith(start) || !conditionsHold(route, request)) continue;
    const matcher = (candidate.expression ??= pathExpression(source)).matcher(path);
    if (matcher.lookingAt()) return { route, matchedLength: matcher.end() };
  }
  return undefined;
}

/** A slash at the end of a path is no element. */
function longestElement(path: string): number {
  return path.length > 1 && path.endsWith('/') ? path.length - 1 : path.length;
}

/** `/a/b/c` → `/a/b` → `/a` → `/` (1 character) → nothing (0). */
function shorterElement(path: string, length: number): number {
  return length <= 1 ? 0 : Math.max(1, path.lastIndexOf('/', length - 1));
}

/** The longest prefix whose conditions hold; of two as long the one by element. */
function matchPrefix(host: HostRoutes, path: string, request: RequestTraits): Match | undefined {
  const characters = host.characterPaths?.lengths ?? noLengths;
  let byElement = longestElement(path);
  let next = 0;
  for (;;) {
    const byCharacter = characters[next] ?? 0;
    const length = Math.max(byElement, byCharacter);
    if (length === 0) return undefined;
    const reach = byElement === length ? 'elements' : 'characters';
    if (byElement === length) byElement = shorterElement(path, byElement);
    if (byCharacter === length) next += 1;
    const route = length > path.length ? undefined : firstOf(bucketAt(host, path, length), reach, request);
    if (route !== undefined) return { route, matchedLength: length };
  }
}
