import type { RouteEntry } from '#table/route-entry.ts';
import { pathExpression } from './path-expression.ts';

/** The groups of a route's regular expression in a path that it matched; none for other paths. */
function groupsOf(route: RouteEntry, path: string): (group: number) => string {
  if (route.path.type !== 'regex') return () => '';
  const matcher = pathExpression(route, route.path.value).matcher(path);
  return matcher.lookingAt() ? (group) => matcher.group(group) ?? '' : () => '';
}

/**
 * The path of `konghq.com/rewrite` for a request: `$1` stands for what the first group of the route's regular
 * expression took, `\$` for a dollar (kong-facts 4.5). It takes the place of the whole path, the service's
 * included. What comes from the request is normalised already, and cannot hold a query.
 */
export function rewrittenPath(route: RouteEntry, template: string, path: string): string {
  if (!template.includes('$')) return template;
  const group = groupsOf(route, path);
  return template.replaceAll(/\\\$|\$(\d)/g, (_, digit?: string) => (digit === undefined ? '$' : group(Number(digit))));
}
