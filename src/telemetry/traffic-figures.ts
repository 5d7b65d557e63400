/**
 * What workers count of requests, as it travels to the main thread: what came since the last time, so that nothing
 * that was told is lost when a worker dies, and no counter ever goes back.
 */

/** Who gave the answer: the service, the gateway by itself (401, 404 …), or the gateway because of the service (502 …). */
export type AnswerSource = 'service' | 'exit' | 'error';

/** Buckets in milliseconds, as Kong's Prometheus plugin has them for all of a request and for the upstream's part. */
export const longBucketsMs = [25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10_000, 30_000, 60_000] as const;
/** And for what the gateway itself takes. */
export const shortBucketsMs = [1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000, 3000, 6000] as const;

/** Times by bucket: one more than there are bounds, for what is longer than all. Not cumulative. */
export interface Times {
  readonly counts: readonly number[];
  readonly sumMs: number;
}

/** What was counted of the requests of one route, and of one consumer where that is asked for. */
export interface RouteFigures {
  /** `<namespace>/<Ingress>`; '' for requests that met none. */
  readonly route: string;
  /** `<namespace>/<Service>/<port>`; '' for requests that met none. */
  readonly service: string;
  /** Name of the consumer; '' where consumers are not told apart, or for nobody. */
  readonly consumer: string;
  readonly answers: readonly (readonly [source: AnswerSource, status: number, count: number])[];
  /** Bytes of bodies. */
  readonly ingressBytes: number;
  readonly egressBytes: number;
  readonly requestMs: Times;
  readonly upstreamMs: Times;
  readonly gatewayMs: Times;
  /** Attempts at an upstream that came to nothing, by how, and those that were made again. */
  readonly failures: readonly (readonly [reason: string, count: number])[];
  readonly retries: number;
  /** Decisions of plugins on callers. */
  readonly attempts: readonly (readonly [plugin: string, outcome: string, count: number])[];
}

/** Routes that are told apart, by a worker between two reports and by the metrics; all others are told as one. */
export const mostRoutes = 2_000;
/** The label of what is told as one. */
export const other = 'other';
export const otherRoute: Pick<RouteFigures, 'route' | 'service' | 'consumer'> = {
  route: other,
  service: other,
  consumer: '',
};

/** What one worker tells at a time. */
export interface TrafficReport {
  readonly routes: readonly RouteFigures[];
  /** Requests that were refused before they had a meaning, by reason. */
  readonly refused: readonly (readonly [reason: string, count: number])[];
  readonly acceptedConnections: number;
  /** As they are now: the counts of all workers add up. */
  readonly connections: number;
  readonly tunnels: number;
  readonly upstream: { readonly active: number; readonly idle: number };
  /** Lines of the access log that nobody took, since the last time. */
  readonly droppedLines: number;
  /** Targets that it keeps requests from: key of the service and name of the target. */
  readonly outTargets: readonly (readonly [service: string, target: string])[];
  /** Since the last time, in seconds: how late the thread came to what was due. */
  readonly loopDelay: { readonly meanSeconds: number; readonly maxSeconds: number };
}
