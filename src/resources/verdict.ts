import type { Reason } from './reasons.ts';
import type { Ref } from './ref.ts';

/** What a problem does to traffic. Failing closed is data: whoever translates must say which it is. */
export type Effect =
  | 'object not in force'
  | 'route answers 503'
  | 'route not served'
  | 'plugin not in force'
  | 'credential not in force'
  | 'anonymous requests answer 500'
  | 'field ignored'
  | 'the first is in force'
  | 'last good version in force';

/** One thing that is wrong with an object, in words its author can act on. */
export interface Problem {
  readonly reason: Reason;
  /** Path of the field, as `spec.rules[0].http.paths[1].path`. */
  readonly field?: string;
  /** Another object that has to do with it. */
  readonly about?: Ref;
  readonly message: string;
  readonly effect: Effect;
}

/**
 * What was found out about an object by the very translation that is served. No problems = in force
 * once every worker has acknowledged the patch.
 */
export interface Verdict {
  readonly ref: Ref;
  readonly generation: number | undefined;
  readonly problems: readonly Problem[];
  /** Why the object is not ours (another ingress class); such an object is left alone. */
  readonly notOurs?: string;
  /** Objects that use this one where its status is told of each use; the oldest first. */
  readonly ancestors?: readonly Ref[];
}
