import type { Problem, Verdict } from '#resources/verdict.ts';
import type { KubernetesApi } from '#source/kubernetes-api.ts';
import type { Logger } from '#telemetry/log.ts';
import { isInForce } from './conditions.ts';
import { writeEvent, type Told } from './event-write.ts';
import { inForceEvent, problemEvent, type EventContext } from './events.ts';
import type { LatestObjects } from './latest-objects.ts';
import { createWriter } from './writer.ts';

export interface EventQueueOptions {
  readonly api: KubernetesApi;
  readonly log: Logger;
  /** Name of this pod or host. */
  readonly identity: string;
  readonly latest: LatestObjects;
  pause(ms: number): void;
  /** Resolves when it is our turn for one more request. @throws NotLeading */
  turn(): Promise<void>;
}

/** Events may wait; two at a time leave the API server to the statuses. */
const concurrency = 2;

const sameProblem = (a: Problem, b: Problem): boolean => a.reason === b.reason && a.message === b.message;

const isOursAndBroken = (verdict: Verdict | undefined): boolean =>
  verdict !== undefined && verdict.notOurs === undefined && !isInForce(verdict);

/** The Events that wait to be told, by name: what is asked for twice is told once. */
export function createEventQueue({ api, log, identity, latest, pause, turn }: EventQueueOptions) {
  const pending = new Map<string, Told>();

  const writer = createWriter({
    pause,
    log,
    concurrency,
    async write(name) {
      const told = pending.get(name);
      if (told === undefined) return undefined;
      await writeEvent({ api, turn }, told);
      if (pending.get(name) === told) pending.delete(name);
      return undefined;
    },
  });

  const add = (told: Told): void => {
    const name = `${told.event.metadata.namespace}/${told.event.metadata.name}`;
    pending.set(name, told);
    writer.add(name);
  };

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
        add({ event: problemEvent(context, problem), isRepeated });
      }
      if (isOursAndBroken(before) && isInForce(verdict)) add({ event: inForceEvent(context), isRepeated });
    },
    clear(): void {
      pending.clear();
      writer.clear();
    },
    stop: async (): Promise<void> => writer.stop(),
  };
}
