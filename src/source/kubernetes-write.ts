/**
 * Edits as writes to the Kubernetes API.
 *
 *   edits ──▶ plan (read, apply all) ──▶ write in order, again on conflict ──▶ until observed
 *                                                │ one fails
 *                                                └──▶ undo those before it
 *
 * The API server has no transactions: between the writes of one call others see some of them. Invariant:
 * a field that nobody edited stays whose it was, and a change that somebody made meanwhile is not lost.
 */
import { ApiError } from '#resources/api-error.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { formatRef, type Ref } from '#resources/ref.ts';
import { withoutManagedFields } from './authored.ts';
import type { KubernetesApi } from './kubernetes-api.ts';
import { createObjectRequests } from './object-requests.ts';
import type { Observations } from './observations.ts';
import type { Edit, Source } from './source.ts';
import { createSteps, editsByObject, planStep, type Outcome } from './write-step.ts';

export interface WriterOptions extends Observations {
  readonly api: KubernetesApi;
  /** Name by which the API server knows whose fields these are. */
  readonly fieldManager: string;
  /** Longest time for a write to come back by the watch. Default 10 s. */
  readonly observeMs?: number;
}

const usualObserveMs = 10_000;

/** An error after which something that had been written stays. */
function partly(error: unknown, kept: readonly Outcome[]): unknown {
  if (kept.length === 0) return error;
  const message = error instanceof Error ? error.message : String(error);
  const what = kept.map(({ ref, after }) => `${formatRef(ref)} is ${after === undefined ? 'deleted' : 'written'}`);
  const whole = `${message}; only a part was made, and stays so: ${what.join(', ')}`;
  // What is no answer of the API server was thrown by an edit that met what somebody else had written.
  if (!(error instanceof ApiError)) return new ApiError(409, 'Conflict', whole);
  return new ApiError(error.status, error.reason, whole, error.retryAfterSeconds);
}

/** @throws ApiError 504 `NotInForce` when the time is over */
async function withinMs(ms: number, wait: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const stop = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new ApiError(504, 'NotInForce', `written, but not in force yet after ${ms} ms`));
    stop.abort();
  }, ms);
  try {
    await Promise.race([wait(stop.signal), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** See the head of this file. */
export function createKubernetesWriter(options: WriterOptions): Pick<Source, 'write' | 'read'> {
  const { api, fieldManager, untilObserved, observeMs = usualObserveMs } = options;
  const requests = createObjectRequests(api, fieldManager);
  const steps = createSteps(requests, fieldManager);
  let queue: Promise<unknown> = Promise.resolve();

  /** The outcomes that could not be undone, in the order they were made. */
  const undoAll = async (outcomes: readonly Outcome[]): Promise<Outcome[]> => {
    const kept: Outcome[] = [];
    for (const outcome of outcomes.toReversed()) if (!(await steps.undo(outcome))) kept.unshift(outcome);
    return kept;
  };

  const makeAll = async (edits: readonly Edit[]): Promise<Outcome[]> => {
    const objects = editsByObject(edits);
    const found = await Promise.all(objects.map(async ({ ref }) => requests.get(ref)));
    const planned = objects.map((object, i) => planStep(object.ref, object.edits, found[i]));
    const outcomes: Outcome[] = [];
    try {
      for (const step of planned) {
        const begun = outcomes.push(await steps.begin(step)) - 1;
        outcomes[begun] = await steps.finish(outcomes[begun] as Outcome);
      }
      return outcomes;
    } catch (error) {
      throw partly(error, await undoAll(outcomes));
    }
  };

  return {
    /**
     * Makes the edits in order and resolves when the watch has delivered all of them. When one fails, those
     * before it are undone as far as they can be; the error says what stays.
     *
     * @throws what an edit throws; ApiError what the API server answers, 503 when it cannot be reached, 504
     *   `NotInForce` when all was written but has not come back by the watch
     */
    async write(edits: readonly Edit[]): Promise<void> {
      const turn = queue.then(async () => makeAll(edits));
      queue = turn.then(
        () => undefined,
        () => undefined,
      );
      const outcomes = await turn;
      await withinMs(observeMs, async (signal) =>
        Promise.all(
          outcomes.map(async ({ ref, after }) => {
            const what = after === undefined ? 'gone' : { resourceVersion: after.metadata.resourceVersion ?? '' };
            return untilObserved(ref, what, signal);
          }),
        ),
      );
    },

    /** The object as it is now. @throws ApiError */
    async read(ref: Ref): Promise<KubernetesObject | undefined> {
      const found = await requests.get(ref);
      return found === undefined ? undefined : withoutManagedFields(found);
    },
  };
}
