import type { ApiError } from '#resources/api-error.ts';
import { AdminError, conflict, schemaViolation } from './errors.ts';

/** Seconds after which to try again when the API server names none. */
const usualRetrySeconds = 1;

/** What a ServiceAccount lacks, as the API server says it: verb, resource, perhaps API group. */
const lackingRight = /cannot (\w+) resource "([^"]+)"(?: in API group "([^"]*)")?/;

function forbidden(message: string): AdminError {
  const [, verb, resource, group = ''] = lackingRight.exec(message) ?? [];
  // A quota, a namespace that is being deleted, an admission webhook: there is no right that would help.
  if (verb === undefined) return new AdminError(403, { message: `refused by the Kubernetes API: ${message}` });
  const what = group === '' ? resource : `${resource}.${group}`;
  const remedy = 'the chart grants it with adminApi.writes: true';
  return new AdminError(403, { message: `Latchkey lacks the right to ${verb} ${what}, ${remedy}: ${message}` });
}

function absent(message: string): AdminError {
  const namespace = /namespaces "([^"]+)" not found/.exec(message)?.[1];
  if (namespace !== undefined) {
    return new AdminError(400, { message: `there is no namespace "${namespace}" to write to` });
  }
  return new AdminError(503, { message: 'the Kubernetes API does not know the kind: are the CRDs installed?' });
}

/**
 * What the Kubernetes API answers to a read or a write as the Admin API says it: whose fault it is, and
 * what can be done about it.
 *
 * @param what what was tried, such as `cannot write`
 */
export function refusalOf(error: ApiError, what: string): AdminError {
  const { status, reason, message, retryAfterSeconds = usualRetrySeconds } = error;
  if (status === 400 || status === 413 || status === 422) return schemaViolation({ '@entity': [message] });
  if (status === 403) return forbidden(message);
  if (status === 404) return absent(message);
  if (status === 409) return conflict(message);
  // It was made: whoever tries again meets what they made.
  if (reason === 'NotInForce') return new AdminError(504, { message });
  const isLater = status === 401 || status === 429 || status >= 500;
  return isLater
    ? new AdminError(503, { message: `${what}: ${message}` }, Math.ceil(retryAfterSeconds))
    : new AdminError(500, { message: `${what}: ${message}` });
}
