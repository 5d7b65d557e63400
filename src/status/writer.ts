import type { Logger } from '#telemetry/log.ts';
import { failureOf } from './write-failure.ts';

export interface WriterOptions {
  /**
   * Makes the write that a key needs by now, if any. A key is never written twice at a time. Gives the
   * milliseconds after which to look at the key again, if it has to be.
   *
   * @throws ApiError, NotLeading, Error when it came to nothing
   */
  write(key: string): Promise<number | undefined>;
  /** The API server asks for a rest of all writes, in milliseconds. */
  pause(ms: number): void;
  /** Writes under way at a time. */
  readonly concurrency: number;
  readonly log: Logger;
}

const firstBackoffMs = 200;
const mostBackoffMs = 30_000;
/** What an administrator has to mend is not tried often. */
const rareRetryMs = 60_000;

/**
 * A queue of keys. A key that is added while it waits is written once; one that is added while it is
 * being written is written again. What fails is tried again, later and later.
 */
export function createWriter({ write, pause, concurrency, log }: WriterOptions) {
  const waiting = new Set<string>();
  const running = new Set<string>();
  /** Keys that were added while they were being written. */
  const again = new Set<string>();
  const attempts = new Map<string, number>();
  const timers = new Map<string, NodeJS.Timeout>();
  /** What was said in the log and is not said again. */
  const told = new Set<string>();
  const drained = Promise.withResolvers<void>();
  let isStopped = false;

  const add = (key: string): void => {
    if (isStopped) return;
    clearTimeout(timers.get(key));
    timers.delete(key);
    if (running.has(key)) again.add(key);
    else waiting.add(key);
    pump();
  };

  const addAfter = (key: string, ms: number): void => {
    clearTimeout(timers.get(key));
    timers.set(
      key,
      setTimeout(() => add(key), ms),
    );
  };

  /** Jittered, so that keys that fail together do not come back together. */
  const backoffMs = (key: string): number => {
    const attempt = attempts.get(key) ?? 0;
    attempts.set(key, attempt + 1);
    return Math.min(firstBackoffMs * 2 ** attempt, mostBackoffMs) * (1 - Math.random() / 2);
  };

  const failed = (key: string, error: unknown): void => {
    const { retry, pauseMs, tell } = failureOf(error);
    if (tell !== undefined && !told.has(tell)) log.warn({ key }, tell);
    if (tell !== undefined) told.add(tell);
    if (pauseMs !== undefined) pause(pauseMs);
    if (retry === 'never') return void attempts.delete(key);
    log.debug({ key, err: error }, 'a write failed and will be tried again');
    addAfter(key, retry === 'soon' ? backoffMs(key) : rareRetryMs);
  };

  const run = async (key: string): Promise<void> => {
    try {
      const againMs = await write(key);
      attempts.delete(key);
      if (againMs !== undefined && !isStopped) addAfter(key, againMs);
    } catch (error) {
      if (!isStopped) failed(key, error);
    }
    running.delete(key);
    if (again.delete(key)) add(key);
    pump();
  };

  const pump = (): void => {
    for (const key of waiting) {
      if (running.size >= concurrency) break;
      waiting.delete(key);
      running.add(key);
      void run(key);
    }
    if (isStopped && running.size === 0) drained.resolve();
  };

  const clear = (): void => {
    for (const timer of timers.values()) clearTimeout(timer);
    for (const keys of [timers, waiting, again, attempts]) keys.clear();
  };

  return {
    add,
    /** Adds a key when so many milliseconds are over; to add it before that makes it so at once. */
    addAfter(key: string, ms: number): void {
      if (!isStopped) addAfter(key, ms);
    },
    /** Forgets everything that waits. */
    clear,
    /** Resolves when what is under way is over; nothing else is begun. */
    async stop(): Promise<void> {
      isStopped = true;
      clear();
      pump();
      await drained.promise;
    },
  };
}
