import { expiresAtAnnotation } from './annotations.ts';
import type { Secret } from './secret.ts';

/** When a credential ceases to be in force, or why that cannot be read: then it is not in force at all. */
export type CredentialExpiry =
  | { readonly atMs: number | undefined }
  | { readonly field: string; readonly fault: string };

/** Seconds that a credential lives for; Kong's bounds (kong-facts 1.8). 0 is for ever. */
const longestTtlSeconds = 100_000_000;

/** https://www.rfc-editor.org/rfc/rfc3339#section-5.6 */
const time =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

function ofTtl({ metadata, sealed }: Secret): CredentialExpiry {
  const ttl = sealed?.['ttl'];
  if (ttl === undefined) return { atMs: undefined };
  const refuse = (fault: string): CredentialExpiry => ({ field: 'data.ttl', fault });
  if (ttl.text === undefined) return refuse(ttl.fault ?? 'cannot be read');
  const seconds = /^\d{1,9}$/.test(ttl.text.trim()) ? Number(ttl.text.trim()) : Number.NaN;
  if (!(seconds <= longestTtlSeconds))
    return refuse(`expected a whole number of seconds from 0 to ${longestTtlSeconds}`);
  if (seconds === 0) return { atMs: undefined };
  const createdMs = Date.parse(metadata.creationTimestamp ?? '');
  if (!Number.isNaN(createdMs)) return { atMs: createdMs + seconds * 1000 };
  return refuse('counts from metadata.creationTimestamp, which the Secret does not have');
}

/** Days that a month does not have are refused too: Date.parse would move them to the next. */
function ofAnnotation({ metadata }: Secret): CredentialExpiry {
  const text = metadata.annotations?.[expiresAtAnnotation]?.trim();
  if (text === undefined) return { atMs: undefined };
  const atMs = time.test(text) ? Date.parse(text) : Number.NaN;
  const day = `${text.slice(0, 10)}T00:00:00.000Z`;
  const isDay = !Number.isNaN(atMs) && new Date(day).toISOString() === day;
  if (isDay) return { atMs };
  const field = `metadata.annotations["${expiresAtAnnotation}"]`;
  return { field, fault: 'expected a time as RFC 3339 has it, such as 2027-01-31T12:00:00Z' };
}

/** The earlier of `ttl`, which counts from the creation (kong-facts 1.8), and the time of the annotation. */
export function credentialExpiry(secret: Secret): CredentialExpiry {
  const byTtl = ofTtl(secret);
  const byAnnotation = ofAnnotation(secret);
  if ('fault' in byTtl) return byTtl;
  if ('fault' in byAnnotation) return byAnnotation;
  const times = [byTtl.atMs, byAnnotation.atMs].filter((atMs) => atMs !== undefined);
  return { atMs: times.length === 0 ? undefined : Math.min(...times) };
}
