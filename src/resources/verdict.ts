import type { Reason } from './reasons.ts';
import type { Ref } from './ref.ts';

/** What a problem does to traffic. Failing closed is data: whoever translates must say which it is. */
export type Effect =
  | 'object not in force'
  | 'route answers 503'
  | 'route not served'
  | 'plugin not in force'
  | 'consumer answers 503'
  | 'credential not in force'
  | 'anonymous requests answer 500'
  | 'field ignored'
  | 'in force until then'
  | 'no longer in force, as it asks'
  | 'served all the same'
  | 'certificate not served'
  | 'default certificate served'
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

/** A problem that time alone brings or ends: a certificate that is not valid yet, or no longer. */
export interface TimedProblem {
  readonly problem: Problem;
  /** When it begins and ends, in milliseconds since the epoch; absent: it has always been, it stays. */
  readonly fromMs?: number;
  readonly untilMs?: number;
}

/**
 * What was found out about an object by the very translation that is served. No problems = in force
 * once every worker has acknowledged the patch.
 */
export interface Verdict {
  readonly ref: Ref;
  readonly generation: number | undefined;
  readonly problems: readonly Problem[];
  /** Problems that come or go with time; `verdictAt` says which there are. */
  readonly timed?: readonly TimedProblem[];
  /** Why the object is not ours (another ingress class); such an object is left alone. */
  readonly notOurs?: string;
  /** Objects that use this one where its status is told of each use; the oldest first. */
  readonly ancestors?: readonly Ref[];
}

/** Whether nothing is to be told of an object but that it is in force, as of nearly all. */
export function isOrdinary({ problems, timed, notOurs, ancestors }: Omit<Verdict, 'ref' | 'generation'>): boolean {
  return problems.length === 0 && timed === undefined && notOurs === undefined && ancestors === undefined;
}

/** A verdict as it is kept a million times: an ordinary one is the generation of its object, null if it has none. */
export type PackedVerdict = Verdict | number | null;

export function packVerdict(verdict: Verdict): PackedVerdict {
  return isOrdinary(verdict) ? (verdict.generation ?? null) : verdict;
}

/** The verdict again, given what it is on. */
export function unpackVerdict(ref: Ref, packed: PackedVerdict): Verdict {
  if (typeof packed === 'object' && packed !== null) return packed;
  return { ref, generation: packed ?? undefined, problems: [] };
}

/** A verdict as it is at a time: of the problems that come and go those that there are then. */
export function verdictAt(verdict: Verdict, nowMs: number): Verdict {
  const { timed, ...lasting } = verdict;
  if (timed === undefined) return verdict;
  const due = timed.filter(({ fromMs, untilMs }) => nowMs >= (fromMs ?? -Infinity) && nowMs < (untilMs ?? Infinity));
  return { ...lasting, problems: [...lasting.problems, ...due.map(({ problem }) => problem)] };
}

/** When `verdictAt` says something else for the first time after this; undefined: never. */
export function nextTurnMs({ timed = [] }: Verdict, nowMs: number): number | undefined {
  const turns = timed.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs]);
  const coming = turns.filter((turn): turn is number => turn !== undefined && turn > nowMs);
  return coming.length === 0 ? undefined : Math.min(...coming);
}
