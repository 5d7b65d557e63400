/** Where a request's hash comes from; the path, or a part of it, and what the client sent. */
export type HashInput =
  | { readonly from: 'ip' | 'consumer' | 'path' }
  | { readonly from: 'header' | 'query-arg' | 'uri-capture'; readonly name: string }
  /** The gateway sets the cookie when the client has none. */
  | { readonly from: 'cookie'; readonly name: string; readonly path: string };

/** What counts, and how often, before an endpoint is taken for healthy or unhealthy; 0 for never. */
export interface HealthThresholds {
  readonly healthyStatuses: readonly number[];
  readonly successes: number;
  readonly unhealthyStatuses: readonly number[];
  readonly httpFailures: number;
  readonly tcpFailures: number;
  readonly timeouts: number;
}

/** Health checks by probes. An interval of 0 sends none. */
export interface ActiveChecks extends HealthThresholds {
  readonly type: 'http' | 'https' | 'tcp';
  readonly healthyIntervalMs: number;
  readonly unhealthyIntervalMs: number;
  readonly timeoutMs: number;
  /** Probes under way at once. */
  readonly concurrency: number;
  readonly path: string;
  /** Flat list of names and values. */
  readonly headers: readonly string[];
  readonly sni?: string;
  readonly verifiesCertificate: boolean;
}

/** How requests are spread over the targets of a service (kong-facts 3.6, 4.1). */
export interface UpstreamPolicy {
  readonly algorithm: 'round-robin' | 'least-connections' | 'consistent-hashing' | 'latency';
  readonly slots: number;
  /** Tried in turn; a request that has nothing of any goes round-robin. */
  readonly hashOn: readonly HashInput[];
  /** Percent of the targets' weight that must be usable; below it none is. */
  readonly threshold: number;
  /** Time in which the share of a target that has come, or come back, grows to all of it; absent for at once. */
  readonly slowStartMs?: number;
  readonly active?: ActiveChecks;
  readonly passive?: HealthThresholds;
}
