import { collectionPath } from '#resources/api-path.ts';
import { kindNamed } from '#resources/all-kinds.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { KubernetesConnection } from '#source/kubernetes-api.ts';
import { createListWatch } from '#source/list-watch.ts';

/** A condition as it was seen on a watch. */
export interface SeenCondition {
  readonly status: string;
  readonly observedGeneration: number | undefined;
}

interface Condition extends SeenCondition {
  readonly type: string;
}

interface Waiter {
  isRight(seen: SeenCondition): boolean;
  resolve(atMs: number): void;
}

const programmedOf = ({ status }: KubernetesObject): Condition | undefined =>
  (status as { conditions?: readonly Condition[] } | undefined)?.conditions?.find(({ type }) => type === 'Programmed');

/**
 * Watches the condition `Programmed` of all objects of a kind, as `kubectl wait` does of one. The list-watch is
 * Latchkey's own: the API server ends a watch whose reader is slow for a moment.
 */
export function watchConditions(api: KubernetesConnection, kindName: string) {
  const seen = new Map<string, SeenCondition>();
  const waiters = new Map<string, Waiter>();
  /** When a condition was seen to become another: as many writes of a status. */
  const writtenAtMs: number[] = [];

  const take = (object: KubernetesObject): void => {
    const condition = programmedOf(object);
    if (condition === undefined) return;
    const { name } = object.metadata;
    const before = seen.get(name);
    const { status, observedGeneration } = condition;
    if (before?.status === status && before.observedGeneration === observedGeneration) return;
    const atMs = performance.now();
    if (before !== undefined) writtenAtMs.push(atMs);
    seen.set(name, { status, observedGeneration });
    const waiter = waiters.get(name);
    if (waiter?.isRight({ status, observedGeneration }) === true) waiter.resolve(atMs);
  };

  const listWatch = createListWatch({
    api,
    path: collectionPath(kindNamed(kindName), 'default'),
    changes(changes) {
      for (const change of changes) if (change.type === 'put') take(change.object);
    },
    state: () => undefined,
  });
  listWatch.start();

  return {
    writtenAtMs,
    /** Resolves with the time at which an object was seen to say this; at once when it says so already. @throws Error */
    async until(name: string, isRight: Waiter['isRight'], deadlineMs: number): Promise<number> {
      const now = seen.get(name);
      if (now !== undefined && isRight(now)) return performance.now();
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const timer = setTimeout(() => reject(new Error(`${name} does not say so after ${deadlineMs} ms`)), deadlineMs);
      waiters.set(name, { isRight, resolve });
      return promise.finally(() => {
        clearTimeout(timer);
        waiters.delete(name);
      });
    },
    stop: async (): Promise<void> => listWatch.stop(),
  };
}

export type ConditionWatch = ReturnType<typeof watchConditions>;
