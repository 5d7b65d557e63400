import { refKey, type Ref } from '#resources/ref.ts';
import type { Problem, Verdict } from '#resources/verdict.ts';
import type { KubernetesApi } from '#source/kubernetes-api.ts';
import type { Logger } from '#telemetry/log.ts';
import { isInForce, isMild } from './conditions.ts';
import { writeEvent, type Told } from './event-write.ts';
import { inForceEvent, problemEvent, type EventContext, type KubernetesEvent } from './events.ts';
import type { LatestObjects } from './latest-objects.ts';
import { failureOf } from './write-failure.ts';
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

const isOurs = ({ notOurs }: Verdict): boolean => notOurs === undefined;

/** An Event that waits. */
interface Pending extends Told {
  /** Whether there still is what it tells of. */
  stands(): boolean;
  /** Called when people are about to read it. */
  begins(): void;
}

const keyOf = ({ metadata }: KubernetesEvent): string => `${metadata.namespace}/${metadata.name}`;

/** The Events that wait to be told, by name: what is asked for twice is told once. */
export function createEventQueue(options: EventQueueOptions) {
  const { api, log, identity, latest, pause, turn, verdictOf, settleMs = usualSettleMs } = options;
  const pending = new Map<string, Pending>();
  /** Uids of the objects of which people may have read that they are broken, by the keys of their refs. */
  const toldBroken = new Map<string, string | undefined>();

  const drop = (name: string, told: Pending): void => {
    if (pending.get(name) === told) pending.delete(name);
  };

  const write = async (name: string): Promise<undefined> => {
    const told = pending.get(name);
    if (told === undefined) return;
    try {
      if (told.stands()) {
        told.begins();
        await writeEvent({ api, turn }, told);
      }
    } catch (error) {
      if (failureOf(error).retry === 'never') drop(name, told);
      throw error;
    }
    drop(name, told);
  };

  const writer = createWriter({ pause, log, concurrency, write });

  const add = (told: Pending, afterMs: number): void => {
    const key = keyOf(told.event);
    pending.set(key, told);
    if (afterMs === 0) writer.add(key);
    else writer.addAfter(key, afterMs);
  };

  /** Whether it is still the same object that has the problem. */
  const stillHas = (ref: Ref, uid: string | undefined, problem: Problem): boolean =>
    latest.find(ref)?.metadata.uid === uid &&
    verdictOf(refKey(ref))?.problems.some((known) => sameProblem(known, problem)) === true;

  const pendingProblem = (context: EventContext, problem: Problem): Omit<Pending, 'isRepeated'> => {
    const { ref } = context;
    const { uid } = context.object.metadata;
    return {
      event: problemEvent(context, problem),
      stands: () => stillHas(ref, uid, problem),
      begins: () => void (isMild(problem) || toldBroken.set(refKey(ref), uid)),
    };
  };

  const tellInForce = (context: EventContext): void => {
    const key = refKey(context.ref);
    const isTold = toldBroken.has(key) && toldBroken.get(key) === context.object.metadata.uid;
    toldBroken.delete(key);
    const always = { stands: () => true, begins: () => undefined };
    if (isTold) add({ event: inForceEvent(context), isRepeated: true, ...always }, 0);
  };

  /**
   * Tells what changed since the verdict before, which must be of the very same object. Without one
   * nobody knows whether the problems were told already: then each is told unless its Event is there.
   */
  const tell = (before: Verdict | undefined, verdict: Verdict): void => {
    const object = isOurs(verdict) ? latest.find(verdict.ref) : undefined;
    if (object === undefined) return;
    const context: EventContext = { ref: verdict.ref, object, identity, now: new Date() };
    const isRepeated = before !== undefined;
    for (const problem of verdict.problems) {
      if (before?.problems.some((known) => sameProblem(known, problem)) === true) continue;
      add({ ...pendingProblem(context, problem), isRepeated }, settleMs);
    }
    // Only to those who may have read that it was not.
    if (isInForce(verdict)) tellInForce(context);
  };

  return {
    tell,
    /** Tells what stands when we begin to lead: whoever led before may have told it. */
    takeOver(verdict: Verdict): void {
      const uid = latest.find(verdict.ref)?.metadata.uid;
      if (isOurs(verdict) && !isInForce(verdict)) toldBroken.set(refKey(verdict.ref), uid);
      tell(undefined, verdict);
    },
    forget(ref: Ref): void {
      toldBroken.delete(refKey(ref));
    },
    clear(): void {
      pending.clear();
      toldBroken.clear();
      writer.clear();
    },
    stop: async (): Promise<void> => writer.stop(),
  };
}
