import type { GroupSchema, ProofSchema } from '#plugins/plugin.ts';
import { credentialSchemas } from '#plugins/schemas.ts';
import { consumersBySecret } from '#store/indexes.ts';
import { expiresAtAnnotation, findAnnotation, ourPrefix } from '#resources/annotations.ts';
import { credentialExpiry } from '#resources/credential-expiry.ts';
import { credentialLabel, type Secret } from '#resources/secret.ts';
import type { Problem } from '#resources/verdict.ts';
import { annotationField } from './annotations.ts';
import { nothing, type RootKind } from './translation.ts';

/** What a credential Secret comes to, or what is wrong with it. */
export type ReadCredential =
  | {
      readonly type: string;
      readonly digest: string;
      /** What it is called besides its secret, such as a username. */
      readonly name?: string;
      readonly expiresAtMs?: number;
    }
  | { readonly group: string }
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

/** A group's name goes into a header, one of a list. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const notInList = /[,\u0000-\u001f\u007f]/;

/** The group that a Secret puts its consumer in (kong-facts 4.6). */
function readGroup({ metadata, sealed }: Secret, { groupField }: GroupSchema): ReadCredential {
  // Ignored, it would leave somebody in the group for ever.
  if (metadata.annotations?.[expiresAtAnnotation] !== undefined) {
    return fault(annotationField(expiresAtAnnotation), 'has no meaning for a group: only what proves a caller can end');
  }
  const field = `data.${groupField}`;
  const { text, fault: unreadable } = sealed?.[groupField] ?? {};
  if (text === undefined) return fault(field, unreadable ?? 'is missing');
  if (text === '') return fault(field, 'is empty');
  return notInList.test(text) ? fault(field, 'has a comma or a control character') : { group: text };
}

/** Why a Secret has nothing that proves a caller. */
function noProof({ sealed }: Secret, { nameField, secretField, hashField = secretField }: ProofSchema): ReadCredential {
  const ofName = nameField === undefined ? undefined : sealed?.[nameField]?.fault;
  if (ofName !== undefined) return fault(`data.${nameField}`, ofName);
  const field = sealed?.[hashField]?.fault === undefined ? secretField : hashField;
  return fault(`data.${field}`, sealed?.[field]?.fault ?? 'is missing');
}

/** Reads a credential out of a sealed Secret (kong-facts 4.6). */
export function readCredential(secret: Secret): ReadCredential {
  const type = secret.metadata.labels?.[credentialLabel];
  const schema = credentialSchemas.get(type ?? '');
  if (type === undefined || schema === undefined) return { problems: [unsupportedType(type)] };
  const misspelt = unknownAnnotation(secret);
  if (misspelt !== undefined) return fault(annotationField(misspelt), 'no such annotation');
  return 'groupField' in schema ? readGroup(secret, schema) : readProof(secret, type, schema);
}

function readProof(secret: Secret, type: string, schema: ProofSchema): ReadCredential {
  const digest = secret.sealed?.[schema.secretField]?.digest;
  if (digest === undefined) return noProof(secret, schema);
  const expiry = credentialExpiry(secret);
  if ('fault' in expiry) return fault(expiry.field, expiry.fault);
  const name = schema.nameField === undefined ? undefined : secret.sealed?.[schema.nameField]?.text;
  return {
    type,
    digest,
    ...(name === undefined ? {} : { name }),
    ...(expiry.atMs === undefined ? {} : { expiresAtMs: expiry.atMs }),
  };
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
