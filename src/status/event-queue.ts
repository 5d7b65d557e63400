import { refKey, type Ref } from '#resources/ref.ts';
import type { Problem, Verdict } from '#resources/verdict.ts';
import type { KubernetesApi } from '#source/kubernetes-api.ts';
import type { Logger } from '#telemetry/log.ts';
import { isInForce } from './conditions.ts';
import { writeEvent, type Told } from './event-write.ts';
import { inForceEvent, problemEvent, type EventContext, type KubernetesEvent } from './events.ts';
import type { LatestObjects } from './latest-objects.ts';
import { createWriter } from './writer.ts';

export interface EventQueueOptions {
  readonly api: KubernetesApi;
  readonly log: Logger;
  /** Name of this pod or host. */
  readonly identity: string;
  readonly latest: LatestObjects;
  /** What was found out last about the object of this `refKey`. */
  verdictOf(key: string): Verdict | undefined;
  /** How long a problem must stand before it is told, in milliseconds. Default one second. */
  readonly settleMs?: number;
  pause(ms: number): void;
  /** Resolves when it is our turn for one more request. @throws NotLeading */
  turn(): Promise<void>;
}

/** Events may wait; two at a time leave the API server to the statuses. */
const concurrency = 2;
/**
 * One `kubectl apply` of a Secret and its consumer makes problems that last for some milliseconds: nobody is to
 * read of them.
 */
const usualSettleMs = 1000;

const sameProblem = (a: Problem, b: Problem): boolean => a.reason === b.reason && a.message === b.message;

const isOursAndBroken = (verdict: Verdict | undefined): boolean =>
  verdict !== undefined && verdict.notOurs === undefined && !isInForce(verdict);

/** An Event that waits; `stands` says whether there still is what it tells of. */
interface Pending extends Told {
  stands(): boolean;
}

const keyOf = ({ metadata }: KubernetesEvent): string => `${metadata.namespace}/${metadata.name}`;

/** The Events that wait to be told, by name: what is asked for twice is told once. */
export function createEventQueue(options: EventQueueOptions) {
  const { api, log, identity, latest, pause, turn, verdictOf, settleMs = usualSettleMs } = options;
  const pending = new Map<string, Pending>();
  /** Keys of those that are being told. */
  const underWay = new Set<string>();

  const writer = createWriter({
    pause,
    log,
    concurrency,
    async write(name) {
      const told = pending.get(name);
      if (told === undefined) return undefined;
      underWay.add(name);
      try {
        if (told.stands()) await writeEvent({ api, turn }, told);
      } finally {
        underWay.delete(name);
      }
      if (pending.get(name) === told) pending.delete(name);
      return undefined;
    },
  });

  const add = (told: Pending, afterMs: number): void => {
    const key = keyOf(told.event);
    pending.set(key, told);
    if (afterMs === 0) writer.add(key);
    else writer.addAfter(key, afterMs);
  };

  const stillHas = (ref: Ref, problem: Problem): boolean =>
    verdictOf(refKey(ref))?.problems.some((known) => sameProblem(known, problem)) === true;

  /** Whether somebody may have read that the object was broken: not if all that was wrong still waits to be told. */
  const wasTold = (context: EventContext, { problems }: Verdict): boolean =>
    problems.some((problem) => {
      const key = keyOf(problemEvent(context, problem));
      return !pending.has(key) || underWay.has(key);
    });

  return {
    /**
     * Tells what changed since the verdict before, which must be of the very same object. Without one
     * nobody knows whether the problems were told already: then each is told unless its Event is there.
     */
    tell(before: Verdict | undefined, verdict: Verdict): void {
      const object = verdict.notOurs === undefined ? latest.find(verdict.ref) : undefined;
      if (object === undefined) return;
      const context: EventContext = { ref: verdict.ref, object, identity, now: new Date() };
      const isRepeated = before !== undefined;
      for (const problem of verdict.problems) {
        if (before?.problems.some((known) => sameProblem(known, problem)) === true) continue;
        const stands = (): boolean => stillHas(verdict.ref, problem);
        add({ event: problemEvent(context, problem), isRepeated, stands }, settleMs);
      }
      if (before === undefined || !isOursAndBroken(before) || !isInForce(verdict)) return;
      if (wasTold(context, before)) add({ event: inForceEvent(context), isRepeated, stands: () => true }, 0);
    },
    clear(): void {
      pending.clear();
      writer.clear();
    },
    stop: async (): Promise<void> => writer.stop(),
  };
}
