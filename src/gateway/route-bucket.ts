import type { PathMatch, RouteEntry } from '#table/route-entry.ts';
import { compareConditions, conditionsHold, type RequestTraits } from './route-conditions.ts';
import type { ServedRoute } from './served-route.ts';

/** Routes of one host and one text of a path, the first of the order first. Nearly always one, and no list. */
export type Bucket = ServedRoute | ServedRoute[];

/** How the text of a bucket stands to a path: all of it, its elements up to a slash, or its first characters. */
export type Reach = 'whole' | 'elements' | 'characters';

const order: Readonly<Record<PathMatch['type'], number>> = {
  exact: 0,
  prefix: 1,
  'string-prefix': 2,
  regex: 3,
  default: 4,
};

const compare = (a: ServedRoute, b: ServedRoute): number =>
  order[a.pathType] - order[b.pathType] || compareConditions(a, b);

/** The first in order. */
export const leadOf = (bucket: Bucket): ServedRoute | undefined => (Array.isArray(bucket) ? bucket[0] : bucket);

const listOf = (bucket: Bucket | undefined): readonly ServedRoute[] =>
  bucket === undefined ? [] : Array.isArray(bucket) ? bucket : [bucket];

export function withRoute(bucket: Bucket | undefined, route: ServedRoute): Bucket {
  return bucket === undefined ? route : [...listOf(bucket), route].sort(compare);
}

/** Gives undefined when nothing is left. */
export function withoutRoute(bucket: Bucket | undefined, route: RouteEntry): Bucket | undefined {
  const left = listOf(bucket).filter((other) => other.key !== route.key);
  return left.length > 1 ? left : left[0];
}

function reaches({ pathType }: ServedRoute, reach: Reach): boolean {
  if (pathType === 'string-prefix') return reach !== 'whole';
  return pathType === 'prefix' ? reach === 'elements' : reach === 'whole';
}

/** The first route of a bucket that is for such a path and whose conditions hold. */
export function firstOf(bucket: Bucket | undefined, reach: Reach, request: RequestTraits): ServedRoute | undefined {
  if (bucket === undefined) return undefined;
  if (Array.isArray(bucket)) return bucket.find((route) => reaches(route, reach) && conditionsHold(route, request));
  return reaches(bucket, reach) && conditionsHold(bucket, request) ? bucket : undefined;
}
