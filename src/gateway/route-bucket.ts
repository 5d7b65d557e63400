import type { PathMatch, RouteEntry } from '#table/route-entry.ts';
import { compareConditions, conditionsHold, type RequestTraits } from './route-conditions.ts';

/** Routes of one host and one text of a path, the first of the order first. Nearly always one, and no list. */
export type Bucket = RouteEntry | RouteEntry[];

/** How the text of a bucket stands to a path: all of it, its elements up to a slash, or its first characters. */
export type Reach = 'whole' | 'elements' | 'characters';

const order: Readonly<Record<PathMatch['type'], number>> = {
  exact: 0,
  prefix: 1,
  'string-prefix': 2,
  regex: 3,
  default: 4,
};

const compare = (a: RouteEntry, b: RouteEntry): number =>
  order[a.path.type] - order[b.path.type] || compareConditions(a, b);

const listOf = (bucket: Bucket | undefined): readonly RouteEntry[] =>
  bucket === undefined ? [] : Array.isArray(bucket) ? bucket : [bucket];

export function withRoute(bucket: Bucket | undefined, route: RouteEntry): Bucket {
  return bucket === undefined ? route : [...listOf(bucket), route].sort(compare);
}

/** Gives undefined when nothing is left. */
export function withoutRoute(bucket: Bucket | undefined, route: RouteEntry): Bucket | undefined {
  const left = listOf(bucket).filter((other) => other.key !== route.key);
  return left.length > 1 ? left : left[0];
}

function reaches({ path: { type } }: RouteEntry, reach: Reach): boolean {
  if (type === 'string-prefix') return reach !== 'whole';
  return type === 'prefix' ? reach === 'elements' : reach === 'whole';
}

/** The first route of a bucket that is for such a path and whose conditions hold. */
export function firstOf(bucket: Bucket | undefined, reach: Reach, request: RequestTraits): RouteEntry | undefined {
  if (bucket === undefined) return undefined;
  if (Array.isArray(bucket)) return bucket.find((route) => reaches(route, reach) && conditionsHold(route, request));
  return reaches(bucket, reach) && conditionsHold(bucket, request) ? bucket : undefined;
}
