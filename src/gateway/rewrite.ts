import type { RouteEntry } from '#table/route-entry.ts';
import { fillTemplate } from '#table/rewrite-template.ts';
import { pathExpression } from './path-expression.ts';

/** The groups of a route's regular expression in a path that it matched; none for other paths. */
function groupsOf(route: RouteEntry, path: string): (group: number) => string {
  if (route.path.type !== 'regex') return () => '';
  const matcher = pathExpression(route.path.value).matcher(path);
  return matcher.lookingAt() ? (group) => matcher.group(group) ?? '' : () => '';
}

/**
 * The path of `konghq.com/rewrite` for a request. It takes the place of the whole path, the service's
 * included. What comes from the request is normalised already, and cannot hold a query.
 */
export function rewrittenPath(route: RouteEntry, template: string, path: string): string {
  if (!template.includes('$')) return template;
  const group = groupsOf(route, path);
  return fillTemplate(template, group);
}
