import type { LiveLimits } from '#table/limits-entry.ts';
import type { PathRules } from '#table/normalize-path.ts';

/** How requests are taken in and sent on, the same for every worker. What an option means stands beside its flag. */
export interface ProxySettings {
  readonly limits: Limits;
  /** Client connections that a worker has files for, whatever the limits say; absent where there are enough. */
  readonly connectionsByFiles?: number;
  readonly trust: TrustSettings;
  /** The ports that clients come to, by those that are listened on; where they are the same, absent. */
  readonly portMaps: ReadonlyMap<number, number>;
  readonly headers: HeaderSettings;
  readonly paths: PathRules;
  /** A line for every request; absent: none. */
  readonly accessLog?: { readonly withQuery: boolean };
  readonly metrics: { readonly isPerConsumer: boolean };
  /** Whether it is noted which credentials are used. */
  readonly notesCredentialUse: boolean;
  readonly pools: PoolSettings;
  /** Whether what let a WebSocket in is looked at again while it lasts. */
  readonly rechecksTunnels: boolean;
}

/** How connections to upstreams are kept (kong-facts 2.9). */
export interface PoolSettings {
  /** Idle connections to one target that a worker keeps. */
  readonly size: number;
  /** Requests after which a connection is closed. */
  readonly maxRequests: number;
  /** A connection without a request is closed after this long. */
  readonly idleTimeoutMs: number;
}

/** Which peers are proxies that may say who the client is, and in which field. */
export interface TrustSettings {
  /** Addresses and CIDRs. */
  readonly trustedIps: readonly string[];
  readonly realIpHeader: string;
  /** Whether addresses that are trusted themselves are passed over. */
  readonly realIpRecursive: boolean;
}

/** Which of its own headers the gateway shows (kong-facts 2.4). */
export interface HeaderSettings {
  readonly server: boolean;
  readonly via: boolean;
  readonly upstreamLatency: boolean;
  readonly proxyLatency: boolean;
  readonly responseLatency: boolean;
  readonly upstreamStatus: boolean;
  readonly requestId: boolean;
  /** Whether the upstream gets X-Kong-Request-Id. */
  readonly requestIdUpstream: boolean;
  /** Whether `Kong-Debug` in a request makes its answer name route and service. */
  readonly debug: boolean;
}

/** What a client may take of us before it is refused. */
export type Limits = LiveLimits;
