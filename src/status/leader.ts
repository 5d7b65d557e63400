import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '#resources/api-error.ts';
import type { KubernetesApi } from '#source/kubernetes-api.ts';
import type { Logger } from '#telemetry/log.ts';
import { createLease } from './lease.ts';

/** All in milliseconds. */
export interface LeaderTiming {
  /** How long a Lease that is not renewed holds. */
  readonly leaseMs: number;
  /** How long a leader that cannot renew goes on leading; shorter, so that never two lead. */
  readonly renewDeadlineMs: number;
  /** Between two renewals. */
  readonly renewMs: number;
  /** Between two looks of somebody who does not lead. */
  readonly lookMs: number;
}

/** As client-go has them; who waits looks more often, since that is what a release waits for. */
const usualTiming: LeaderTiming = { leaseMs: 15_000, renewDeadlineMs: 10_000, renewMs: 2000, lookMs: 1000 };

export interface LeaderOptions {
  readonly api: KubernetesApi;
  readonly log: Logger;
  readonly election: { readonly id: string; readonly namespace: string };
  /** Who we are; no other replica may have the same. */
  readonly identity: string;
  /** Called when this process begins to lead. */
  gained(): void;
  /** Called when it no longer does. */
  lost(): void;
  readonly timing?: Partial<LeaderTiming>;
}

const grantText = 'grant the verbs get, create and update on leases of API group "coordination.k8s.io"';
const tooLate = 'could not renew the Lease in time';

/** Has at most one replica lead at a time. */
export function createLeader(options: LeaderOptions) {
  const { api, log, election, identity } = options;
  const timing = { ...usualTiming, ...options.timing };
  const name = `${election.namespace}/${election.id}`;
  const lease = createLease({
    ...election,
    api,
    identity,
    leaseMs: timing.leaseMs,
    requestMs: timing.renewDeadlineMs / 2,
  });
  const stopped = new AbortController();
  let leads = false;
  let deadline: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let toldError: string | undefined;

  const endsAtMs = (): number => lease.renewedAtMs + timing.renewDeadlineMs;

  const lose = (why: string): void => {
    clearTimeout(deadline);
    if (!leads) return;
    leads = false;
    log.info({ lease: name, identity }, `no longer leads: ${why}`);
    options.lost();
  };

  const lead = (): void => {
    toldError = undefined;
    clearTimeout(deadline);
    deadline = setTimeout(() => lose(tooLate), endsAtMs() - performance.now());
    if (leads) return;
    leads = true;
    log.info({ lease: name, identity }, 'leads: writes status and Events');
    options.gained();
  };

  const tellError = (error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    if (message === toldError) return;
    toldError = message;
    const remedy = error instanceof ApiError && error.status === 403 ? `; ${grantText}` : '';
    log.warn({ lease: name }, `cannot get or renew the Lease: ${message}${remedy}`);
  };

  const claim = async (): Promise<void> => {
    const endedAtMs = endsAtMs();
    try {
      const isOurs = await lease.claim();
      // The answer may come just before the timer that is due; what was not written meanwhile is asked for again.
      if (performance.now() >= endedAtMs) lose(tooLate);
      if (isOurs) lead();
      else lose('somebody else holds the Lease');
    } catch (error) {
      tellError(error);
    }
  };

  const campaign = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await claim();
      const restMs = (leads ? timing.renewMs : timing.lookMs) * (1 - Math.random() / 5);
      await sleep(restMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };

  return {
    start(): void {
      running = campaign();
    },
    /** Whether this process leads at this very moment: also after it was suspended for a while. */
    get leads(): boolean {
      return leads && performance.now() < endsAtMs();
    },
    /** Gives up leading, so that another replica takes over at once. */
    async stop(): Promise<void> {
      stopped.abort();
      await running;
      lose('stops');
      await lease
        .release()
        .catch((error: unknown) => log.debug({ err: error }, 'could not release the Lease; it will run out'));
    },
  };
}
