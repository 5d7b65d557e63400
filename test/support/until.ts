/** Calls `check` whenever the fact may have come true; gives how to stop that. */
type Subscribe = (check: () => void) => () => void;

/** A fact to wait for. */
export interface Fact<T> {
  /** What is waited for, for the message when it does not come. */
  readonly what: string;
  readonly subscribe: Subscribe;
  /** The fact, or undefined or false while it has not come. */
  readonly holds: () => T | undefined | false;
  /** Default a minute: long enough for a busy machine, since a test that passes never waits for it. */
  readonly deadlineMs?: number;
}

/** Waits for a fact, never for time. @throws Error when it has not come by the deadline */
export async function until<T>({ what, subscribe, holds, deadlineMs = 60_000 }: Fact<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const check = (): void => {
    try {
      const fact = holds();
      if (fact !== undefined && fact !== false) resolve(fact);
    } catch (error) {
      reject(error);
    }
  };
  const stop = subscribe(check);
  const timer = setTimeout(() => reject(new Error(`did not happen within ${deadlineMs} ms: ${what}`)), deadlineMs);
  check();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    stop();
  }
}
