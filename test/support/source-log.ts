import { EventEmitter } from 'node:events';
import type { KubernetesObject } from '#resources/kind.ts';
import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import type { Change, FileProblem, Move, SourceListener } from '#source/source.ts';
import { until } from './until.ts';

/** Listens to a source, remembers all that it told, and lets a test wait for what it will tell. */
export function createSourceLog() {
  const events = new EventEmitter();
  const batches: (readonly Change[])[] = [];
  const moves: Move[] = [];
  const objects = new Map<string, KubernetesObject>();
  let problems: readonly FileProblem[] = [];

  const listener: SourceListener = {
    changes(changes) {
      batches.push(changes);
      for (const change of changes) {
        if (change.type === 'put') objects.set(refKey(change.ref), change.object);
        else objects.delete(refKey(change.ref));
      }
      events.emit('told');
    },
    moved(told) {
      moves.push(...told);
      events.emit('told');
    },
    fileProblems(told) {
      problems = told;
      events.emit('told');
    },
  };

  const waitFor = async <T>(what: string, holds: () => T | undefined | false): Promise<T> =>
    until({
      what,
      holds,
      deadlineMs: 30_000, // half of the time after which a directory is compared though nobody told of a change
      subscribe: (check) => {
        events.on('told', check);
        return () => events.off('told', check);
      },
    });

  return {
    listener,
    batches,
    moves,
    waitFor,
    get problems(): readonly FileProblem[] {
      return problems;
    },
    /** The object as it was delivered last, unless it was deleted. */
    object: (ref: Ref): KubernetesObject | undefined => objects.get(refKey(ref)),
    /** Every change so far, as `put KongConsumer default/alice`. */
    told: (): string[] => batches.flat().map(({ type, ref }) => `${type} ${formatRef(ref)}`),
    /** The last change of an object. */
    lastChange: (ref: Ref): Change | undefined =>
      batches.flat().findLast((change) => refKey(change.ref) === refKey(ref)),
    async untilPut(ref: Ref, isWanted: (object: KubernetesObject) => boolean = () => true): Promise<KubernetesObject> {
      return waitFor(`put ${formatRef(ref)}`, () => {
        const object = objects.get(refKey(ref));
        return object !== undefined && isWanted(object) && object;
      });
    },
    async untilGone(ref: Ref): Promise<void> {
      await waitFor(`delete ${formatRef(ref)}`, () => !objects.has(refKey(ref)));
    },
    async untilProblems(isWanted: (problems: readonly FileProblem[]) => boolean): Promise<readonly FileProblem[]> {
      return waitFor('file problems', () => isWanted(problems) && problems);
    },
  };
}

export type SourceLog = ReturnType<typeof createSourceLog>;
