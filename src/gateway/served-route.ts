import type { PathMatch, RouteEntry } from '#table/route-entry.ts';
import type { HostRoutes } from './host-routes.ts';
import type { SharedParts } from './shared-parts.ts';

/**
 * A route as a worker has it: what requests read of it lies together, what many routes have is there once. No field of
 * an entry may be left out: one that closes a route would then let requests in.
 */
export interface ServedRoute extends Required<RouteEntry> {
  /** That of its path, read without a look at it. */
  readonly pathType: PathMatch['type'];
  /** Likewise; '' where it has none. */
  readonly pathText: string;
  /** The routes of its host; undefined for a default backend, which is of no host. */
  readonly home: HostRoutes | undefined;
}

/** Words of the program, which are compared faster than those that a patch brings. */
const pathTypes: Readonly<Record<PathMatch['type'], PathMatch['type']>> = {
  exact: 'exact',
  prefix: 'prefix',
  'string-prefix': 'string-prefix',
  regex: 'regex',
  default: 'default',
};

/** All fields in one order, so that all routes are of one shape; those of every request first. */
export function servedRoute(entry: RouteEntry, home: HostRoutes | undefined, parts: SharedParts): ServedRoute {
  return {
    pathText: 'value' in entry.path ? entry.path.value : '',
    host: home?.name ?? entry.host,
    pathType: pathTypes[entry.path.type],
    home,
    methods: parts.take(entry.methods),
    headers: parts.take(entry.headers),
    snis: parts.take(entry.snis),
    maxBodyBytes: entry.maxBodyBytes,
    blocked: entry.blocked,
    protocols: parts.take(entry.protocols),
    plugins: parts.take(entry.plugins),
    service: parts.take(entry.service),
    admits: parts.take(entry.admits),
    rewrite: entry.rewrite,
    pathHandling: entry.pathHandling,
    stripPath: entry.stripPath,
    preserveHost: entry.preserveHost,
    buffers: parts.take(entry.buffers),
    name: entry.name,
    kind: 'route',
    key: entry.key,
    path: entry.path,
    regexPriority: entry.regexPriority,
    rank: entry.rank,
    httpsRedirectStatus: entry.httpsRedirectStatus,
  };
}

/** Gives back what the route shares with others. */
export function releaseRoute(route: RouteEntry, parts: SharedParts): void {
  const { methods, headers, snis, protocols, plugins, service, admits, buffers } = route;
  for (const part of [methods, headers, snis, protocols, plugins, service, admits, buffers]) parts.release(part);
}
