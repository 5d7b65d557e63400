import type { ProofSchema } from '#plugins/plugin.ts';
import { credentialSchemas } from '#plugins/schemas.ts';
import { consumersBySecret } from '#store/indexes.ts';
import { findAnnotation, ourPrefix } from '#resources/annotations.ts';
import { credentialExpiry } from '#resources/credential-expiry.ts';
import { credentialLabel, type Secret } from '#resources/secret.ts';
import type { Problem } from '#resources/verdict.ts';
import { annotationField } from './annotations.ts';
import { proofSchema } from './sealing.ts';
import { nothing, type RootKind } from './translation.ts';

/** What a credential Secret comes to, or what is wrong with it. */
export type ReadCredential =
  | { readonly type: string; readonly digest: string; readonly expiresAtMs?: number }
  | { readonly problems: readonly Problem[] };

function fault(field: string, message: string): { readonly problems: readonly Problem[] } {
  const effect = 'credential not in force';
  return { problems: [{ reason: 'InvalidCredential', field, message: `${field}: ${message}`, effect }] };
}

function unsupportedType(type: string | undefined): Problem {
  const field = `metadata.labels["${credentialLabel}"]`;
  const what = type === undefined ? 'is missing' : `${type} is not supported`;
  const message = `${field}: ${what}; supported are ${[...credentialSchemas.keys()].join(', ')}`;
  return { reason: 'UnsupportedCredentialType', field, message, effect: 'credential not in force' };
}

/** A misspelt `latchkey.dev/expires-at` would leave a key in force for ever, so that it keeps it out instead. */
function unknownAnnotation({ metadata }: Secret): string | undefined {
  return Object.keys(metadata.annotations ?? {}).find(
    (name) => name.startsWith(ourPrefix) && findAnnotation(name)?.on.includes('Secret') !== true,
  );
}

/** Why a Secret has nothing that proves a caller. */
function noProof({ sealed }: Secret, { secretField, hashField = secretField }: ProofSchema): ReadCredential {
  const field = sealed?.[hashField]?.fault === undefined ? secretField : hashField;
  return fault(`data.${field}`, sealed?.[field]?.fault ?? 'is missing');
}

/** Reads a credential out of a sealed Secret (kong-facts 4.6). */
export function readCredential(secret: Secret): ReadCredential {
  const type = secret.metadata.labels?.[credentialLabel];
  const schema = proofSchema(type ?? '');
  if (type === undefined || schema === undefined) return { problems: [unsupportedType(type)] };
  const misspelt = unknownAnnotation(secret);
  if (misspelt !== undefined) return fault(annotationField(misspelt), 'no such annotation');
  const digest = secret.sealed?.[schema.secretField]?.digest;
  if (digest === undefined) return noProof(secret, schema);
  const expiry = credentialExpiry(secret);
  if ('fault' in expiry) return fault(expiry.field, expiry.fault);
  return { type, digest, ...(expiry.atMs === undefined ? {} : { expiresAtMs: expiry.atMs }) };
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
