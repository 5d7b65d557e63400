/**
 * One object's part of a write: what the edits make of it, making it so, and taking that back.
 *
 * Every request states the version of the object that it is for, so that it conflicts when somebody else
 * wrote meanwhile; it is then read again, and the edits are applied to what it is now.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { kindNamed } from '#resources/all-kinds.ts';
import { ApiError } from '#resources/api-error.ts';
import { refOf, type KubernetesObject } from '#resources/kind.ts';
import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import { changingApply, creatingApply, removalPatch } from './apply-patch.ts';
import { authored, withoutManagedFields } from './authored.ts';
import { createBackoff } from './backoff.ts';
import type { ObjectRequests } from './object-requests.ts';
import type { Edit } from './source.ts';

/** Writers that collide wait 10 to 320 ms, each as chance has it; five tries end within a second. */
const mostAttempts = 5;
const firstBackoffMs = 20;
const mostBackoffMs = 500;

/** The edits of one object, what it is and what they make of it. */
export interface Step {
  readonly ref: Ref;
  readonly edits: readonly Edit[];
  readonly current: KubernetesObject | undefined;
  readonly wanted: KubernetesObject | undefined;
}

/** What was done to an object. */
export interface Outcome {
  readonly ref: Ref;
  readonly before: KubernetesObject | undefined;
  readonly wanted: KubernetesObject | undefined;
  readonly after: KubernetesObject | undefined;
}

/** The edits by object, each object where its first edit stands. */
export function editsByObject(edits: readonly Edit[]): { ref: Ref; edits: Edit[] }[] {
  const found = new Map<string, { ref: Ref; edits: Edit[] }>();
  for (const edit of edits) {
    const known = found.get(refKey(edit.ref));
    if (known === undefined) found.set(refKey(edit.ref), { ref: edit.ref, edits: [edit] });
    else known.edits.push(edit);
  }
  return [...found.values()];
}

/** What the edits make of an object. @throws what an edit throws */
export function planStep(ref: Ref, edits: readonly Edit[], current: KubernetesObject | undefined): Step {
  let object = current === undefined ? undefined : withoutManagedFields(structuredClone(current));
  for (const edit of edits) {
    object = edit.apply(object);
    if (object !== undefined && refKey(refOf(kindNamed(ref.kind), object)) !== refKey(ref))
      throw new Error(`an edit of ${formatRef(ref)} gave an object of another name`);
  }
  return { ref, edits, current, wanted: object === undefined ? undefined : authored(object) };
}

const isConflict = (error: unknown): boolean => error instanceof ApiError && error.status === 409;

/** Tries again on conflict, with what is there then. @throws ApiError 409 when it conflicts every time */
async function againOnConflict<T>(attempt: () => Promise<T>, readAgain: () => Promise<void>): Promise<T> {
  const backoff = createBackoff({ firstMs: firstBackoffMs, mostMs: mostBackoffMs });
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConflict(error) || count === mostAttempts) throw error;
    }
    await sleep(backoff.next());
    await readAgain();
  }
}

/** How steps are made and taken back by one field manager. */
export function createSteps(requests: ObjectRequests, fieldManager: string) {
  const begin = async ({ ref, current, wanted }: Step): Promise<KubernetesObject | undefined> => {
    if (current === undefined) return wanted === undefined ? undefined : requests.apply(ref, creatingApply(wanted));
    if (wanted === undefined) return requests.remove(ref, current);
    const apply = changingApply(current, wanted, fieldManager);
    return apply === undefined ? current : requests.apply(ref, apply);
  };

  const change = async (ref: Ref, current: KubernetesObject, wanted: KubernetesObject): Promise<void> => {
    const applied = await begin({ ref, edits: [], current, wanted });
    const removal = applied === undefined ? undefined : removalPatch(current, wanted, applied);
    if (removal !== undefined) await requests.patch(ref, removal);
  };

  return {
    /**
     * Makes an object, deletes it, or applies what is new of it.
     *
     * @throws what an edit throws that is applied again; ApiError, 409 when others wrote at every attempt
     */
    async begin(planned: Step): Promise<Outcome> {
      let step = planned;
      return againOnConflict(
        async () => {
          const { ref, current: before, wanted } = step;
          return { ref, before, wanted, after: await begin(step) };
        },
        async () => {
          step = planStep(step.ref, step.edits, await requests.get(step.ref));
        },
      );
    },

    /**
     * Takes away what is no longer wanted of an object that was begun. Its edits are not applied again, since
     * they would find what they have added.
     *
     * @throws ApiError
     */
    async finish(begun: Outcome): Promise<Outcome> {
      const { ref, before, wanted, after } = begun;
      if (before === undefined || wanted === undefined) return begun;
      let now = after;
      const attempt = async () => {
        const removal = now === undefined ? undefined : removalPatch(before, wanted, now);
        return removal === undefined ? now : requests.patch(ref, removal);
      };
      const finished = await againOnConflict(attempt, async () => {
        now = await requests.get(ref);
      });
      return { ...begun, after: finished };
    },

    /**
     * Takes back what was made of an object, unless somebody else wrote it since. What was deleted stays so:
     * made anew it would be another object, by its uid.
     *
     * @returns whether it is as it was
     */
    async undo({ ref, before, after }: Outcome): Promise<boolean> {
      if (after === undefined) return before === undefined;
      try {
        if (before === undefined) await requests.remove(ref, after);
        else await change(ref, after, authored(before));
        return true;
      } catch {
        return false;
      }
    },
  };
}
