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
  /** Key of a ServiceEntry; a key that the table does not have answers 503. */
  readonly service: string;
  /**
   * Plugins in the order they run; each is a list of plugin keys, the most specific first, of which the
   * first that is enabled runs. A key that the table does not have, or that is broken, answers 503.
   */
  readonly plugins: readonly (readonly string[])[];
  readonly stripPath: boolean;
  readonly preserveHost: boolean;
  /** Why the route may not be served; it then answers 503 and nothing reaches an upstream. */
  readonly blocked?: string;
}
