import type { CredentialUse } from '#table/credential-use.ts';
import type { TablePatch } from '#table/patch.ts';
import type { RedactedPlace } from '#table/redacted-places.ts';
import type { TrafficReport } from '#telemetry/traffic-figures.ts';
import type { ServiceHealth } from './health.ts';
import type { ProxySettings } from './proxy-settings.ts';
import type { Pair } from './self-signed.ts';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly listen: ListenAddress;
  /** Where clients come in over TLS, and what they are shown where the table has no certificate. */
  readonly tls?: { readonly listen: ListenAddress; readonly fallback: Pair };
  readonly proxy: ProxySettings;
  /** Secret of the digests that keys are looked up by; shared by all threads of the process. */
  readonly digestSecret: Uint8Array;
  readonly log: { readonly level: string; readonly format: 'text' | 'json' };
  /** Version in `Server` and `Via`. */
  readonly version: string;
}

/** What one worker of the pool is started with besides. */
export interface WorkerStart extends WorkerSettings {
  /** Whether it runs the health checks, for all workers. */
  readonly isProber: boolean;
  /** Its sign of life, which the main thread looks at; without one for `hangTimeoutMs` it is ended. */
  readonly beats: Int32Array;
  /** 0 for never. */
  readonly hangTimeoutMs: number;
}

/** A target that the requests of a worker have found unhealthy. */
interface Suspect {
  /** Key of the service. */
  readonly service: string;
  /** Name of the target. */
  readonly target: string;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export type ToWorker =
  /** The redacted values of the patch come beside it. */
  | { readonly type: 'patch'; readonly patch: TablePatch; readonly redacted: readonly RedactedPlace[] }
  /** What the worker that probes has found; to that one itself, what was found before it started. */
  | { readonly type: 'health'; readonly health: ServiceHealth }
  /** To the worker that probes. */
  | { readonly type: 'suspect'; readonly suspect: Suspect }
  /** Tell what was counted since the last report. */
  | { readonly type: 'report' }
  /** Soon to drain: let each answer be the last of its connection. */
  | { readonly type: 'leave' }
  /** Close the listener; finish what is in flight within this time, then cut the rest. */
  | { readonly type: 'drain'; readonly graceMs: number }
  /** Cut what there is, and end. */
  | { readonly type: 'end' };

export type FromWorker =
  /** The first patch is applied and connections are accepted. */
  | { readonly type: 'listening' }
  | { readonly type: 'applied'; readonly number: number }
  | { readonly type: 'health'; readonly health: ServiceHealth }
  | { readonly type: 'suspect'; readonly suspect: Suspect }
  | { readonly type: 'failed'; readonly message: string; readonly code?: string }
  /** `uses`: credentials that were used in a minute in which they had not been, since the last report. */
  | { readonly type: 'report'; readonly report: TrafficReport; readonly uses: readonly CredentialUse[] }
  | { readonly type: 'drained' };
