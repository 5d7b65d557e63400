import { formatRef, type Ref } from '#resources/ref.ts';
import type { TimedProblem } from '#resources/verdict.ts';

/** A credential that ends, as its consumer lists it. */
interface EndingCredential {
  readonly field: string;
  readonly about: Ref;
  readonly atMs: number;
}

const timeText = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

/**
 * What time does to a credential: people are warned while the key still works, and told once it does not. Only
 * who has a clock knows which of the two it is.
 */
export function expiryProblems({ field, about, atMs }: EndingCredential, warningMs: number): TimedProblem[] {
  const secret = `${field}: ${formatRef(about)}`;
  const expired: TimedProblem = {
    problem: {
      reason: 'CredentialExpired',
      field,
      about,
      message: `${secret} expired at ${timeText(atMs)}`,
      effect: 'no longer in force, as it asks',
    },
    fromMs: atMs,
  };
  if (warningMs <= 0) return [expired];
  const expiring: TimedProblem = {
    problem: {
      reason: 'CredentialExpiring',
      field,
      about,
      message: `${secret} expires at ${timeText(atMs)}`,
      effect: 'in force until then',
    },
    fromMs: atMs - warningMs,
    untilMs: atMs,
  };
  return [expiring, expired];
}
