import { credentialSchemas } from '#plugins/schemas.ts';
import { consumersBySecret } from '#store/indexes.ts';
import { credentialLabel, type Secret, type SealedField } from '#resources/secret.ts';
import type { Problem } from '#resources/verdict.ts';
import { creationMs } from './rank.ts';
import { proofSchema } from './sealing.ts';
import { nothing, type RootKind } from './translation.ts';

/** What a credential Secret comes to, or what is wrong with it. */
export type ReadCredential =
  | { readonly type: string; readonly digest: string; readonly expiresAtMs?: number }
  | { readonly problems: readonly Problem[] };

function fault(field: string, message: string): { readonly problems: readonly Problem[] } {
  const path = field.startsWith('metadata') ? field : `data.${field}`;
  return {
    problems: [
      { reason: 'InvalidCredential', field: path, message: `${path}: ${message}`, effect: 'credential not in force' },
    ],
  };
}

/** Seconds that a credential lives for; Kong's bounds (kong-facts 1.8). 0 is for ever. */
const longestTtlSeconds = 100_000_000;

function expiryOf(secret: Secret, ttl: SealedField | undefined): { readonly expiresAtMs?: number } | string {
  if (ttl === undefined) return {};
  if (ttl.text === undefined) return ttl.fault ?? 'cannot be read';
  const seconds = /^\d{1,9}$/.test(ttl.text.trim()) ? Number(ttl.text.trim()) : Number.NaN;
  if (!(seconds <= longestTtlSeconds)) return `expected a whole number of seconds from 0 to ${longestTtlSeconds}`;
  if (seconds === 0) return {};
  const createdMs = creationMs(secret);
  if (createdMs === undefined) return 'counts from metadata.creationTimestamp, which the Secret does not have';
  return { expiresAtMs: createdMs + seconds * 1000 };
}

function unsupportedType(type: string | undefined): Problem {
  const field = `metadata.labels["${credentialLabel}"]`;
  const what = type === undefined ? 'is missing' : `${type} is not supported`;
  const message = `${field}: ${what}; supported are ${[...credentialSchemas.keys()].join(', ')}`;
  return { reason: 'UnsupportedCredentialType', field, message, effect: 'credential not in force' };
}

/** Reads a credential out of a sealed Secret (kong-facts 4.6). */
export function readCredential(secret: Secret): ReadCredential {
  const type = secret.metadata.labels?.[credentialLabel];
  const schema = proofSchema(type ?? '');
  if (type === undefined || schema === undefined) return { problems: [unsupportedType(type)] };
  const sealed = secret.sealed?.[schema.secretField];
  if (sealed?.digest === undefined) return fault(schema.secretField, sealed?.fault ?? 'is missing');
  const expiry = expiryOf(secret, secret.sealed?.['ttl']);
  if (typeof expiry === 'string') return fault('ttl', expiry);
  return { type, digest: sealed.digest, ...expiry };
}

/**
 * A credential Secret as a root yields nothing: its consumer does. Here only its own verdict is found, so
 * that a Secret which nobody lists, or which lacks its key, says so itself.
 */
export const credentialRoot: RootKind<Secret> = {
  translate(object, { ref, view }) {
    if (object.metadata.labels?.[credentialLabel] === undefined) return nothing;
    const read = readCredential(object);
    const problems: Problem[] = 'problems' in read ? [...read.problems] : [];
    if (view.lookup(consumersBySecret, `${ref.namespace}/${ref.name}`).length === 0) {
      const message = `no KongConsumer in namespace ${ref.namespace} lists this Secret in its credentials`;
      problems.push({ reason: 'CredentialNotListed', message, effect: 'credential not in force' });
    }
    return { entries: [], problems };
  },
};
