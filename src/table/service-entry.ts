import type { Redacted } from './redacted.ts';
import type { UpstreamPolicy } from './upstream-policy.ts';

/** Where requests can be sent. */
export interface Target {
  /** IP address or host name; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** The host is a name, to be resolved where the request is sent. */
  readonly isName?: true;
  /** Share of the requests next to the other targets; absent for 1. */
  readonly weight?: number;
}

/** How connections to the endpoints of a service are secured. */
export interface UpstreamTls {
  /** Made of all the rest: connections of one are never used for another. */
  readonly id: string;
  /** Whether an endpoint must prove that it is who the Host says. */
  readonly isVerified: boolean;
  /** Certificates that may stand between that of an endpoint and that of the CA. */
  readonly depth: number;
  /** Certificates of the CAs that are trusted, in PEM; those of the system when absent. */
  readonly ca?: string;
  /** What the gateway proves itself with. */
  readonly client?: { readonly certificate: string; readonly privateKey: Redacted };
}

/** One port of a Service and the endpoints behind it. */
export interface ServiceEntry {
  readonly kind: 'service';
  /** Unique in the table: `service:<namespace>/<name>/<port number>`. */
  readonly key: string;
  /** Endpoints that may get requests, in a stable order; empty means 503. */
  readonly targets: readonly Target[];
  /** Connections are made over TLS, in this way; without it when absent. */
  readonly tls?: UpstreamTls;
  /** Endpoints are spoken to over HTTP/2, as gRPC needs it. */
  readonly isHttp2?: true;
  /** Host sent upstream when the client's own is not preserved; the target's when absent. */
  readonly hostHeader?: string;
  /** Prefix that is put before the path; '/' for none. */
  readonly path: string;
  readonly retries: number;
  readonly connectTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly readTimeoutMs: number;
  /** How requests are spread over the targets; absent for in turn, without health checks. */
  readonly policy?: UpstreamPolicy;
  /** Why requests may not be sent there; its routes then answer 503. */
  readonly blocked?: string;
}
