import { ApiError } from '#resources/api-error.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { CredentialNames } from '#resources/last-used.ts';
import type { Ref } from '#resources/ref.ts';
import type { Source, Edit } from '#source/source.ts';
import type { Store } from '#store/store.ts';
import { refusalOf } from './api-refusals.ts';
import { AdminError } from './errors.ts';

/** What the Admin API needs of the rest. */
export interface AdminOptions {
  readonly store: Store;
  readonly source: Source;
  /** Resolves when everything delivered so far is in force on every worker. */
  settled(): Promise<void>;
  readonly ingressClass: string;
  /** Whether anything may be written; every write is answered 403 when not. Default true. */
  readonly writes?: boolean;
  /** Where new consumers are made, since Kong knows no namespaces. Default `default`. */
  readonly namespace?: string;
  readonly version: string;
  now(): Date;
  /**
   * When a credential was last used, as this process saw it, in milliseconds since the epoch and to the minute;
   * undefined where it saw no use. Absent where it is not noted.
   */
  lastUsedMs?(credential: CredentialNames): number | undefined;
  /** Digest of a credential's secret, as the store has it in `sealed`. */
  digest(type: string, secret: string): string;
  /** Told of bugs: which endpoint and where in the code, nothing of the request. */
  readonly log?: { error(fields: object, message: string): void };
}

/** The options, and writes that answer when they are in force. */
export interface Backend extends AdminOptions {
  readonly writes: boolean;
  readonly namespace: string;
  /** Makes edits as one and resolves when every request meets them. */
  write(edits: readonly Edit[]): Promise<void>;
  /** The object as it was written, secrets included. Not for keeping. */
  read(ref: Ref): Promise<KubernetesObject | undefined>;
  /** Runs one write after the other: what a check found still holds when the edit is made. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

/** What keeps a source from its work, by file and line or by verb and resource, is for whoever asked for it. */
const explain =
  (what: string) =>
  (error: unknown): never => {
    if (error instanceof AdminError) throw error;
    if (error instanceof ApiError) throw refusalOf(error, what);
    throw new AdminError(500, { message: `${what}: ${error instanceof Error ? error.message : 'unknown'}` });
  };

/** See `Backend`. */
export function createBackend(options: AdminOptions): Backend {
  let queue: Promise<unknown> = Promise.resolve();
  return {
    writes: true,
    namespace: 'default',
    ...options,
    async write(edits) {
      await options.source.write(edits).catch(explain('cannot write'));
      await options.settled();
    },
    async read(ref) {
      return options.source.read(ref).catch(explain('cannot read'));
    },
    async inTurn(work) {
      const turn = queue.then(work);
      // Not `catch` alone: it would pass the result on, and keep what was shown (a key) until the next turn.
      queue = turn.then(
        () => undefined,
        () => undefined,
      );
      return turn;
    },
  };
}
