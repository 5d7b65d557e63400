/**
 * Where objects come from and where written ones go. Two implementations (a directory, the Kubernetes
 * API), one contract test suite; nothing else knows which one runs.
 *
 *   files, API server ──▶ changes ──▶ (the pipeline)        admin ──▶ write ──▶ files, API server
 *
 * A source knows no meaning: it delivers whatever objects of known kinds there are, as they were written.
 * Invariant: an object is delivered after every change of it, and a reader who has seen `changes` return
 * may forget what it held.
 */
import type { KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import type { Problem } from '#resources/verdict.ts';

/** Where an object was written, when that is a file. Line and column count from 1. */
export interface Origin {
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

export type Change =
  | {
      readonly type: 'put';
      readonly ref: Ref;
      readonly object: KubernetesObject;
      readonly origin?: Origin;
      /** What only the source can know to be wrong, such as that the object stands in two files. */
      readonly problems?: readonly Problem[];
    }
  | { readonly type: 'delete'; readonly ref: Ref };

/** An object that is what it was, but now stands elsewhere: on another line, in another file. */
export interface Move {
  readonly ref: Ref;
  readonly origin: Origin;
}

/** What is wrong with a file rather than with an object in it: it cannot be parsed, its kind is unknown. */
export interface FileProblem extends Origin {
  readonly message: string;
  /** False for what is only worth a note, such as an object of a kind that Latchkey does not read. */
  readonly isError: boolean;
}

export interface SourceListener {
  /** Changes that belong together; they take effect as one. */
  changes(changes: readonly Change[]): void;
  /** Called before `changes` for objects that did not change but whose `origin` did. */
  moved?(moves: readonly Move[]): void;
  /** All problems of files that there are now; called when the list changes. */
  fileProblems(problems: readonly FileProblem[]): void;
}

/**
 * One edit of an object. `apply` gets the object as it is now (undefined: there is none) and gives what it
 * shall be (undefined: delete it). It may be called again when somebody else wrote meanwhile, and may
 * throw to give the whole write up.
 */
export interface Edit {
  readonly ref: Ref;
  apply(current: KubernetesObject | undefined): KubernetesObject | undefined;
}

export interface Source {
  /** Delivers everything there is, then resolves; goes on delivering changes until `stop`. */
  start(listener: SourceListener): Promise<void>;
  stop(): Promise<void>;
  /** Makes the edits in order and resolves when `changes` has been called with all of them, as one batch. */
  write(edits: readonly Edit[]): Promise<void>;
  /** The object as it was written, secrets included. Not for keeping. */
  read(ref: Ref): Promise<KubernetesObject | undefined>;
}
