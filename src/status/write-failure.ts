import { ApiError } from '#resources/api-error.ts';

/** Thrown in place of a write when another replica leads: whoever gains the Lease looks at everything. */
export class NotLeading extends Error {}

/** What a write that came to nothing means for the next. */
export interface WriteFailure {
  /** `never`: until something changes. `rarely`: an administrator has to mend something first. */
  readonly retry: 'never' | 'soon' | 'rarely';
  /** How long all writes shall rest, in milliseconds; the API server asks for that. */
  readonly pauseMs?: number;
  /** What to say in the log; once. */
  readonly tell?: string;
}

const refused = 'the API server refuses a status or an Event: ';

/** The API server's words for a missing grant; in a namespace that is being deleted it uses others. */
const missingGrant = /cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]*)")?/;

function forbidden(message: string): WriteFailure {
  const grant = missingGrant.exec(message);
  if (grant === null) return { retry: 'never' }; // its namespace is being deleted, and it with it
  const [, verb, resource, group] = grant;
  return {
    retry: 'rarely',
    tell: `may not ${verb} ${resource}: grant the verb ${verb} on ${resource} of API group "${group}" to the ServiceAccount`,
  };
}

/**
 * The API server's words, with status 500, for an object that was stored before the schema of its kind was
 * tightened and has a field of another type by now: server-side apply cannot read it.
 */
const unreadable = /failed to (?:create typed live object|create manager for existing fields)/;

/** Whether an object can only be patched in another way than by server-side apply. */
export function cannotBeApplied(error: unknown): boolean {
  return error instanceof ApiError && error.status === 500 && unreadable.test(error.message);
}

/** Whether a field that was applied is not in the definition of its kind, which then is another's. */
export function isUndeclared(error: unknown): boolean {
  return error instanceof ApiError && /field not declared in schema/.test(error.message);
}

/** Judges why a write failed. */
export function failureOf(error: unknown): WriteFailure {
  if (error instanceof NotLeading) return { retry: 'never' };
  if (!(error instanceof ApiError)) return { retry: 'soon' };
  const { status, message, retryAfterSeconds } = error;
  if (cannotBeApplied(error)) return { retry: 'never', tell: `${refused}${message}` };
  switch (status) {
    case 404: // gone: there is nothing to tell any more
      return { retry: 'never' };
    case 403:
      return forbidden(message);
    case 400:
    case 413:
    case 422:
      return { retry: 'never', tell: `${refused}${message}` };
    default:
      return retryAfterSeconds === undefined ? { retry: 'soon' } : { retry: 'soon', pauseMs: retryAfterSeconds * 1000 };
  }
}
