import type { Ref } from '#resources/ref.ts';
import type { Verdict } from '#resources/verdict.ts';
import { createStatusWrite, type StatusWriteOptions } from './status-write.ts';
import { createWriter } from './writer.ts';

export interface StatusQueueOptions extends StatusWriteOptions {
  /** The API server asks for a rest of all writes, in milliseconds. */
  pause(ms: number): void;
  /** The verdict on an object, by the key of its ref. */
  verdictOf(key: string): Verdict | undefined;
}

const concurrency = 8;

/** The objects whose status is to be looked at, by the keys of their refs. */
export function createStatusQueue(options: StatusQueueOptions) {
  const { log, pause, verdictOf } = options;
  const statusWrite = createStatusWrite(options);
  const writer = createWriter({
    log,
    pause,
    concurrency,
    write: async (key) => statusWrite.write(() => verdictOf(key)),
  });
  return {
    add: writer.add,
    clear: writer.clear,
    stop: writer.stop,
    forget(ref: Ref): void {
      statusWrite.forget(ref);
    },
  };
}
