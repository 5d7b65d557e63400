import { collectionPath } from '#resources/api-path.ts';
import { kindNamed } from '#resources/all-kinds.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { KubernetesConnection } from '#source/kubernetes-api.ts';

/** A condition as it was seen on a watch. */
export interface SeenCondition {
  readonly status: string;
  readonly observedGeneration: number | undefined;
}

interface Condition extends SeenCondition {
  readonly type: string;
}

interface Waiter {
  readonly name: string;
  isRight(seen: SeenCondition): boolean;
  resolve(atMs: number): void;
}

const silenceMs = 600_000;

const programmedOf = ({ status }: KubernetesObject): Condition | undefined =>
  (status as { conditions?: readonly Condition[] } | undefined)?.conditions?.find(({ type }) => type === 'Programmed');

/**
 * Watches the condition `Programmed` of all objects of a kind, as `kubectl wait` does of one.
 *
 * `failed` rejects when the watch ends of itself.
 */
export function watchConditions(api: KubernetesConnection, kindName: string) {
  const stopped = new AbortController();
  const seen = new Map<string, SeenCondition>();
  /** When a condition was seen to become another: as many writes of a status. */
  const writtenAtMs: number[] = [];
  let waiters: Waiter[] = [];

  const take = ({ type, object }: { type: string; object: KubernetesObject }): void => {
    if (type === 'ERROR' || type === 'BOOKMARK') return;
    const condition = programmedOf(object);
    if (condition === undefined) return;
    const { name } = object.metadata;
    const before = seen.get(name);
    const { status, observedGeneration } = condition;
    if (before?.status === status && before.observedGeneration === observedGeneration) return;
    const atMs = performance.now();
    if (type === 'MODIFIED') writtenAtMs.push(atMs);
    seen.set(name, { status, observedGeneration });
    waiters = waiters.filter((waiter) => {
      if (waiter.name !== name || !waiter.isRight({ status, observedGeneration })) return true;
      waiter.resolve(atMs);
      return false;
    });
  };

  const follow = async (): Promise<void> => {
    const path = collectionPath(kindNamed(kindName), 'default');
    const query = { watch: 'true', timeoutSeconds: String(silenceMs / 1_000) };
    const onLine = (line: string): void => {
      if (line !== '') take(JSON.parse(line) as { type: string; object: KubernetesObject });
    };
    await api.lines({ path, query, silenceMs, signal: stopped.signal, onLine });
  };
  const failed = follow().catch((error: unknown) => {
    if (!stopped.signal.aborted) throw error;
  });

  return {
    writtenAtMs,
    /** How many objects have a condition with this status. */
    count: (status: string): number => [...seen.values()].filter((one) => one.status === status).length,
    of: (name: string): SeenCondition | undefined => seen.get(name),
    /** Resolves with the time at which an object was seen to say this; at once when it says so already. */
    async until(name: string, isRight: Waiter['isRight'], deadlineMs: number): Promise<number> {
      const now = seen.get(name);
      if (now !== undefined && isRight(now)) return performance.now();
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const timer = setTimeout(() => reject(new Error(`${name} does not say so after ${deadlineMs} ms`)), deadlineMs);
      waiters.push({ name, isRight, resolve });
      return Promise.race([promise, failed.then(() => promise)]).finally(() => clearTimeout(timer));
    },
    async stop(): Promise<void> {
      stopped.abort();
      await failed;
    },
  };
}

export type ConditionWatch = ReturnType<typeof watchConditions>;
