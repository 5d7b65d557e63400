import { formatRef } from '#resources/ref.ts';
import { reasons, type Reason } from '#resources/reasons.ts';
import type { Effect, Problem, Verdict } from '#resources/verdict.ts';
import { byteLength, cutText } from './cut-text.ts';

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/condition/ */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  /** Seconds, RFC 3339. */
  readonly lastTransitionTime: string;
}

/** What a condition says, apart from its type and since when. */
export type Saying = Omit<Condition, 'type' | 'lastTransitionTime'>;

/** Whether requests meet an object as its author wrote it (kong-facts 4.2). */
export const programmed = 'Programmed';

/** Whether keys of a consumer end soon or have ended. It is there only while it is True. */
export const credentialsExpiring = 'CredentialsExpiring';

/** The same as `Programmed` in a type that nobody else writes, for where another controller writes `Programmed`. */
export function ownConditionType(ingressClass: string): string {
  return `${ingressClass}.latchkey.dev/${programmed}`;
}

/** Longest `message`; the API server refuses an object with a longer one. */
const messageLimitBytes = 32_768;
const cutMark = ' … (cut: too long for a condition)';

const inForce = 'In force: requests meet it.';
const inForceBut = 'In force, with exceptions:';

/**
 * Every effect, the worst first: the worst problem gives the condition its reason. What is mild takes nothing
 * of what the object guards or serves away, so that it is in force in spite of it.
 */
const effects: Readonly<Record<Effect, 'grave' | 'mild'>> = {
  'object not in force': 'grave',
  'plugin not in force': 'grave',
  'route answers 503': 'grave',
  'route not served': 'grave',
  'consumer answers 503': 'grave',
  'credential not in force': 'grave',
  'anonymous requests answer 500': 'grave',
  'certificate not served': 'grave',
  'default certificate served': 'grave',
  'last good version in force': 'grave',
  'no longer in force, as it asks': 'mild',
  'in force until then': 'mild',
  'served all the same': 'mild',
  'the first is in force': 'mild',
  'field ignored': 'mild',
};
const effectsByGravity = Object.keys(effects);

/** Whether an object with this problem is in force all the same. */
export function isMild(problem: Problem): boolean {
  return effects[problem.effect] === 'mild';
}

/** Whether all that the object asks for is in force, exceptions that are told apart. */
export function isInForce({ problems }: Verdict): boolean {
  return problems.every(isMild);
}

const gravity = ({ effect }: Problem): number => effectsByGravity.indexOf(effect);

const isFull = (text: string): boolean => /[.!?]$/.test(text);

/** One problem in full: its field, the other object, what it does to traffic. */
export function problemText({ field, about, message, effect }: Problem): string {
  const place = field === undefined || message.includes(field) ? '' : `${field}: `;
  const other = about === undefined || message.includes(formatRef(about)) ? '' : ` (${formatRef(about)})`;
  return `${place}${message}${other} – ${effect}.`;
}

/** What to do about problems; each remedy once. */
function remedyText(problems: readonly Problem[]): string {
  const remedies = new Set(problems.map(({ reason }) => reasons[reason].remedy));
  return [...remedies].map((remedy) => (isFull(remedy) ? remedy : `${remedy}.`)).join(' ');
}

/** All problems, worst first, then what to do. When it is too long the problems are cut, not the remedies. */
function problemsText(head: string, sorted: readonly Problem[]): string {
  const number = (index: number): string => (sorted.length === 1 ? '' : `[${index + 1}/${sorted.length}] `);
  const list = sorted.map((problem, index) => `${number(index)}${problemText(problem)}`).join(' ');
  const text = head === '' ? list : `${head} ${list}`;
  const remedy = ` ${remedyText(sorted)}`;
  return `${cutText(text, messageLimitBytes - byteLength(remedy), cutMark)}${remedy}`;
}

/** The reason of the condition `Programmed`; objects that are not ours have none, and are told as such. */
export function reasonOf({ problems, notOurs }: Verdict): string {
  if (notOurs !== undefined) return 'NotOurs';
  const worst = problems.length === 0 ? undefined : byGravity(problems.filter((problem) => !isOfExpiry(problem)))[0];
  return worst === undefined || isMild(worst) ? programmed : worst.reason;
}

const observedOf = (generation: number | undefined): Pick<Saying, 'observedGeneration'> =>
  generation === undefined ? {} : { observedGeneration: generation };

const byGravity = (problems: readonly Problem[]): Problem[] => problems.toSorted((a, b) => gravity(a) - gravity(b));

/** A key that ends does what its author wrote: it is told in a condition of its own, beside `Programmed`. */
const isOfExpiry = ({ reason }: Problem): boolean => reason === 'CredentialExpiring' || reason === 'CredentialExpired';

/**
 * What a verdict comes to. `Programmed` is False as soon as anything that the object asks for is not in
 * force, such as one of three keys; it stays True when a field is merely ignored, and says so.
 */
export function sayingOf({ problems, generation }: Verdict): Saying {
  const observed = observedOf(generation);
  const sorted = byGravity(problems.filter((problem) => !isOfExpiry(problem)));
  const worst = sorted[0];
  if (worst === undefined) return { status: 'True', reason: programmed, message: inForce, ...observed };
  if (isMild(worst)) {
    return { status: 'True', reason: programmed, message: problemsText(inForceBut, sorted), ...observed };
  }
  const reason: Reason = worst.reason;
  return { status: 'False', reason, message: problemsText('', sorted), ...observed };
}

/** What is said of keys that end soon or have ended; undefined when none does: then there is no such condition. */
export function expirySayingOf({ problems, generation }: Verdict): Saying | undefined {
  const sorted = byGravity(problems.filter((problem) => isOfExpiry(problem)));
  const worst = sorted[0];
  if (worst === undefined) return undefined;
  return { status: 'True', reason: worst.reason, message: problemsText('', sorted), ...observedOf(generation) };
}

/** Whether a condition says just that. Since when, and who wrote it, does not matter. */
export function says(condition: Condition | undefined, saying: Saying): boolean {
  return (
    condition?.status === saying.status &&
    condition.reason === saying.reason &&
    condition.message === saying.message &&
    condition.observedGeneration === saying.observedGeneration
  );
}

/** `lastTransitionTime` is that of the condition there was, unless the status changes. */
export function conditionOf(type: string, saying: Saying, before: Condition | undefined, now: Date): Condition {
  const since = before !== undefined && before.status === saying.status ? before.lastTransitionTime : secondOf(now);
  return { type, ...saying, lastTransitionTime: since };
}

/** `metav1.Time` has seconds only. */
const secondOf = (now: Date): string => `${now.toISOString().slice(0, 19)}Z`;

/** The condition of a type in the status of an object, whatever that status looks like. */
export function conditionIn(status: unknown, type: string): Condition | undefined {
  const conditions = (status as { readonly conditions?: unknown } | undefined | null)?.conditions;
  if (!Array.isArray(conditions)) return undefined;
  return (conditions as (Condition | null)[]).find((condition) => condition?.type === type) ?? undefined;
}
