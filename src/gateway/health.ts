import type { HealthThresholds } from '#table/upstream-policy.ts';
import type { UpstreamFault } from './upstream.ts';

/** What became of a request or a probe: a status, or how it failed. */
export type Observed = number | UpstreamFault;

/** Successes and failures since the last change of mind. */
export interface HealthCounts {
  successes: number;
  httpFailures: number;
  tcpFailures: number;
  timeouts: number;
}

export const noCounts = (): HealthCounts => ({ successes: 0, httpFailures: 0, tcpFailures: 0, timeouts: 0 });

type Counter = keyof HealthCounts;

function counterOf(observed: Observed, thresholds: HealthThresholds): Counter | undefined {
  if (observed === 'timeout' || observed === 'connect-timeout') return 'timeouts';
  if (observed === 'refused') return undefined; // an endpoint that says so is there: it restarts, or has enough to do
  if (typeof observed === 'string') return 'tcpFailures';
  if (thresholds.healthyStatuses.includes(observed)) return 'successes';
  return thresholds.unhealthyStatuses.includes(observed) ? 'httpFailures' : undefined;
}

/**
 * Counts an observation and says what follows from it, or undefined when nothing does. A success forgets the
 * failures before it and a failure the successes; a status on neither list counts for nothing (lua-resty-healthcheck,
 * which Kong uses).
 */
export function observe(
  counts: HealthCounts,
  observed: Observed,
  thresholds: HealthThresholds,
): 'healthy' | 'unhealthy' | undefined {
  const counter = counterOf(observed, thresholds);
  if (counter === undefined) return undefined;
  const count = counts[counter] + 1;
  if (counter === 'successes') Object.assign(counts, noCounts());
  else counts.successes = 0;
  counts[counter] = count;
  if (thresholds[counter] === 0 || count < thresholds[counter]) return undefined;
  Object.assign(counts, noCounts());
  return counter === 'successes' ? 'healthy' : 'unhealthy';
}

/** What probes have found about a service, as it is told to all workers. */
export interface ServiceHealth {
  /** Key of the service. */
  readonly service: string;
  /** Names of the targets that get no requests now. */
  readonly out: readonly string[];
  /** Names of those that have just come back. */
  readonly back: readonly string[];
}
