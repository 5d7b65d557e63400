/** How a route's path is compared; the value never ends in a slash unless it is one. */
export type PathMatch =
  | { readonly type: 'exact'; readonly value: string }
  /** By path element: `/foo` matches `/foo` and `/foo/bar`, not `/foobar`. */
  | { readonly type: 'prefix'; readonly value: string }
  /** By characters: `/foo` matches `/foobar` (pathType ImplementationSpecific). */
  | { readonly type: 'string-prefix'; readonly value: string }
  /** Linear-time regular expression, anchored at the start. */
  | { readonly type: 'regex'; readonly value: string }
  /** Whatever no rule matches: the default backend of an Ingress. */
  | { readonly type: 'default' };

/** A header that a request must have: one of the values (lower case), or one that the expression matches. */
export type HeaderMatch =
  | { readonly name: string; readonly values: readonly string[] }
  /** Linear-time regular expression, not anchored, without case. */
  | { readonly name: string; readonly regex: string };

/** What a plugin of a route is attached to, from the most specific to the least (kong-facts 2.8). */
export type PluginScope = 'route' | 'service' | 'global';

/** The plugins of one type that a route may run: of those that apply to the caller, the first that is enabled. */
export interface PluginSlot {
  /** Absent when it cannot be known; the slot then answers 503. */
  readonly type?: string;
  /** Keys of PluginEntries. One that the table does not have, or that is broken, answers 503. */
  readonly candidates: readonly PluginCandidate[];
}

export interface PluginCandidate {
  readonly key: string;
  readonly scope: PluginScope;
  /**
   * Attached to consumers (or, without any, to consumer groups) as well, the plugin runs for the pairs alone
   * (kong-facts 4.7). Absent: it runs for every caller of the route.
   */
  readonly narrowedTo?: 'consumers' | 'groups';
}

export type RouteProtocol = 'http' | 'https' | 'grpc' | 'grpcs';

/** One host and path of an Ingress, and what happens to the requests that match it. */
export interface RouteEntry {
  readonly kind: 'route';
  /** Unique in the table: `route:<namespace>/<ingress>/<rule>/<path>`. */
  readonly key: string;
  /** Name by which logs and metrics call the route: `<namespace>/<ingress>`. */
  readonly name: string;
  /** Lower-case host; `*.example.com` for one label more; '' for any. */
  readonly host: string;
  readonly path: PathMatch;
  /** Upper-case methods that the route takes; absent for all. */
  readonly methods?: readonly string[] | undefined;
  /** All of them must hold; absent for none. Sorted by name. */
  readonly headers?: readonly HeaderMatch[] | undefined;
  /** TLS server names that a request over TLS must have come for; absent for any. Lower case. */
  readonly snis?: readonly string[] | undefined;
  /** Order among regular expressions, the highest first; absent for 0. */
  readonly regexPriority?: number | undefined;
  /** Age of its Ingress and place in it, as text that sorts: the last word between routes that both match. */
  readonly rank: string;
  /** Absent for http and https. It is not part of matching (kong-facts 2.7). */
  readonly protocols?: readonly RouteProtocol[] | undefined;
  /** Answer to http where only https is accepted; absent for 426. */
  readonly httpsRedirectStatus?: 301 | 302 | 307 | 308 | undefined;
  /** Key of a ServiceEntry; a key that the table does not have answers 503. */
  readonly service: string;
  /** Plugins in the order they run. */
  readonly plugins: readonly PluginSlot[];
  readonly stripPath: boolean;
  readonly preserveHost: boolean;
  /** How the service's path and the request's are joined; absent for v0 (kong-facts 2.6). */
  readonly pathHandling?: 'v1' | undefined;
  /** Path that replaces the matched request's; `$1` stands for a capture of the regular expression. */
  readonly rewrite?: string | undefined;
  /** Whether the request's body is read whole before it is forwarded, the response's before it is answered. */
  readonly buffers?: { readonly request: boolean; readonly response: boolean } | undefined;
  /** Bytes that a request's body may have, 0 for any number; absent for what holds for all. */
  readonly maxBodyBytes?: number | undefined;
  /** Namespaces whose consumers the route admits; absent for all. */
  readonly admits?: readonly string[] | undefined;
  /** Why the route may not be served; it then answers 503 and nothing reaches an upstream. */
  readonly blocked?: string | undefined;
}
