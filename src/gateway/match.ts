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
 * Cost: a look-up a host and a path element, whatever the number of routes (text-index.ts); each length of an
 * ImplementationSpecific path of the host is tried, and each regular expression whose first characters fit.
 */
import type { RouteEntry } from '#table/route-entry.ts';
import { addToHost, bitOf, emptyHost, matchPath, removeFromHost, type HostRoutes, type Match } from './host-routes.ts';
import { firstOf, leadOf, withoutRoute, withRoute, type Bucket } from './route-bucket.ts';
import type { RequestTraits } from './route-conditions.ts';
import { releaseRoute, servedRoute, type ServedRoute } from './served-route.ts';
import { createSharedParts } from './shared-parts.ts';
import { createTextIndex, isStart, startOf, type HasTexts } from './text-index.ts';

export type { Match } from './host-routes.ts';

const isHost: HasTexts<HostRoutes> = ({ name }, host) => name === host;

const isAtPath: HasTexts<Bucket> = (bucket, host, path, length) => {
  const lead = leadOf(bucket);
  return lead !== undefined && lead.host === host && isStart(lead.pathText, path, length);
};

/** See the head of this file. */
export function createRouter() {
  const parts = createSharedParts();
  const hosts = createTextIndex<HostRoutes>(isHost);
  const paths = createTextIndex<Bucket>(isAtPath);
  /** A bit for each length that a path of any host has, or had. */
  let lengthBits = 0;
  let defaults: Bucket | undefined;

  const findHost = (host: string): HostRoutes | undefined => hosts.find(startOf(host), host, '', 0);

  /** The whole path first: where there is one, it leads to its host as well. */
  const matchHost = (host: string, path: string, request: RequestTraits): Match | undefined => {
    const start = startOf(host);
    const mayBeWhole = (lengthBits & bitOf(path.length)) !== 0;
    const whole = mayBeWhole ? paths.find(start, host, path, path.length) : undefined;
    const routes = (whole === undefined ? undefined : leadOf(whole)?.home) ?? hosts.find(start, host, '', 0);
    return routes === undefined ? undefined : matchPath(routes, path, whole, request);
  };

  const newHost = (name: string): HostRoutes => {
    const routes = emptyHost(name, paths);
    hosts.set(name, '', routes);
    return routes;
  };

  return {
    /** Adds a route whose key is not there, and gives it as it is served. */
    add(entry: RouteEntry): ServedRoute {
      const home = entry.path.type === 'default' ? undefined : (findHost(entry.host) ?? newHost(entry.host));
      const route = servedRoute(entry, home, parts);
      if (home === undefined) defaults = withRoute(defaults, route);
      else addToHost(home, route);
      lengthBits |= bitOf(route.pathText.length);
      return route;
    },

    /** Removes a route as it was added. */
    remove(route: RouteEntry): void {
      releaseRoute(route, parts);
      if (route.path.type === 'default') {
        defaults = withoutRoute(defaults, route);
        return;
      }
      const host = findHost(route.host);
      if (host === undefined) return;
      removeFromHost(host, route);
      if (host.routes === 0) hosts.delete(host.name, '');
    },

    /**
     * @param host lower-case, without port and trailing dot
     * @param path normalised
     */
    match(host: string, path: string, request: RequestTraits): Match | undefined {
      const found = matchHost(host, path, request);
      if (found !== undefined) return found;
      const dot = host.indexOf('.');
      // A label has a character at least (RFC 1035 section 2.3.1).
      const wildcard = dot < 1 ? undefined : matchHost(`*${host.slice(dot)}`, path, request);
      if (wildcard !== undefined) return wildcard;
      const any = host === '' ? undefined : matchHost('', path, request);
      if (any !== undefined) return any;
      const fallback = firstOf(defaults, 'whole', request);
      return fallback === undefined ? undefined : { route: fallback, matchedLength: 0 };
    },
  };
}
