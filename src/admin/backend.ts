import type { Source, Edit } from '#source/source.ts';
import type { Store } from '#store/store.ts';

/** What the Admin API needs of the rest. */
export interface AdminOptions {
  readonly store: Store;
  readonly source: Source;
  /** Resolves when everything delivered so far is in force on every worker. */
  settled(): Promise<void>;
  readonly ingressClass: string;
  readonly version: string;
  now(): Date;
  /** Digest of a credential's secret, as the store has it in `sealed`. */
  digest(type: string, secret: string): string;
}

/** The options, and writes that answer when they are in force. */
export interface Backend extends AdminOptions {
  /** Makes edits as one and resolves when every request meets them. */
  write(edits: readonly Edit[]): Promise<void>;
  /** Runs one write after the other: what a check found still holds when the edit is made. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

/** See `Backend`. */
export function createBackend(options: AdminOptions): Backend {
  let queue: Promise<unknown> = Promise.resolve();
  return {
    ...options,
    async write(edits) {
      await options.source.write(edits);
      await options.settled();
    },
    async inTurn(work) {
      const turn = queue.then(work);
      queue = turn.catch(() => undefined);
      return turn;
    },
  };
}
