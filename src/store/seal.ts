import { createHash } from 'node:crypto';
import { expiresAtAnnotation, ourPrefix } from '#resources/annotations.ts';
import { refOf, type KubernetesObject, type Metadata } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import {
  caLabel,
  credentialLabel,
  secret as secretKind,
  tlsType,
  type HiddenText,
  type SealedField,
} from '#resources/secret.ts';

/** The data fields of a type of credential; `plugins/plugin.ts` says what they are. */
interface CredentialFields {
  /** Absent for a credential that proves nothing. */
  readonly secretField?: string;
  readonly nameField?: string;
  readonly hashField?: string;
  readonly readableFields: readonly string[];
}

/** What sealing must know; the caller takes it from the plugins and the process's own secret. */
export interface Sealing {
  /** The fields of a credential type, or undefined when there is no such type. */
  fieldsOf(type: string): CredentialFields | undefined;
  digest(type: string, secret: string): Buffer;
  /** The digest of a secret of which the SHA-256 alone is known. */
  digestOfHash(type: string, sha256: Uint8Array): Buffer;
  /** Hides a value that must stay readable: `table/redacted.ts`. */
  hide(value: string): HiddenText;
  /** Whether some object takes values from this Secret, so that they must stay readable. */
  wants(ref: Ref): boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const asFields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** A field by a name that its author chose, `constructor` included. */
const ownField = (fields: Fields, name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined);

/**
 * The value of a data field: `stringData` wins over `data`, which is base64, as the API server merges them
 * (https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data). Bytes that are not
 * UTF-8 are a fault: no request could ever carry them.
 */
function readField(secret: KubernetesObject, field: string): { value: string } | { fault: string } | undefined {
  const text = ownField(asFields(secret['stringData']), field);
  if (text !== undefined) return typeof text === 'string' ? { value: text } : { fault: 'is not a string' };
  const encoded = ownField(asFields(secret['data']), field);
  if (encoded === undefined || encoded === null) return undefined;
  if (typeof encoded !== 'string') return { fault: 'is not a string' };
  const compact = encoded.replaceAll(/[\r\n]/g, '');
  const bytes = Buffer.from(compact, 'base64');
  if (bytes.toString('base64') !== compact) return { fault: 'is not valid base64' };
  const value = bytes.toString('utf8');
  return Buffer.from(value, 'utf8').equals(bytes) ? { value } : { fault: 'is not UTF-8 text' };
}

/** A copy that holds on to no text that it was cut from. */
const detached = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

type Keep = (value: string) => SealedField;

/** A field by its name, in a list since any name may stand in a Secret, `__proto__` included. */
type Kept = readonly (readonly [field: string, sealed: SealedField])[];

type Use = (secret: KubernetesObject, sealing: Sealing) => Kept;

const asText: Keep = (value) => ({ text: detached(value) });

const hiddenBy =
  (sealing: Sealing): Keep =>
  (value) => ({ hidden: sealing.hide(detached(value)) });

/** What is kept of a field, or why it cannot be read; a field that is not there is left out. */
function keepField(secret: KubernetesObject, field: string, keep: Keep): Kept {
  const read = readField(secret, field);
  if (read === undefined) return [];
  return [[field, 'fault' in read ? read : keep(read.value)]];
}

/** What sealing knows of one credential Secret. */
interface CredentialUse {
  readonly type: string;
  readonly fields: CredentialFields;
  readonly sealing: Sealing;
}

const hashPattern = /^sha256:([0-9a-f]{64})$/i;
/** SHA-256 of nothing: what hashing an empty file gives. */
const hashOfNothing = createHash('sha256').digest('hex');

/** The digest of a secret that was written as `sha256:<hex>`. The fault never repeats it: it may be a key. */
function digestOfHash(value: string, { type, sealing }: CredentialUse): SealedField {
  const hex = hashPattern.exec(value.trim())?.[1]?.toLowerCase();
  if (hex === undefined) return { fault: 'expected sha256: and 64 hexadecimal digits' };
  if (hex === hashOfNothing) return { fault: 'is the hash of an empty key' };
  return { digest: sealing.digestOfHash(type, Buffer.from(hex, 'hex')).toString('base64url') };
}

/** The digest of a secret; with a name, of both: who has the one without the other has nothing. */
const digestAs =
  (name: string | undefined, { type, sealing }: CredentialUse): Keep =>
  (value) => {
    if (value === '') return { fault: 'is empty' };
    const proof = name === undefined ? value : `${name}:${value}`;
    return { digest: sealing.digest(type, proof).toString('base64url') };
  };

/** The name of a credential. RFC 7617 section 2 leaves no way to send one with a colon. */
function nameOf(secret: KubernetesObject, field: string): { readonly field: string; readonly sealed: SealedField } {
  const read = readField(secret, field);
  if (read === undefined) return { field, sealed: { fault: 'is missing' } };
  if ('fault' in read) return { field, sealed: read };
  if (read.value === '') return { field, sealed: { fault: 'is empty' } };
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[:\u0000-\u001f\u007f]/.test(read.value))
    return { field, sealed: { fault: 'has a colon or a control character' } };
  return { field, sealed: { text: detached(read.value) } };
}

/**
 * The digest of what proves the caller, under the name of its field, whichever of the two fields has it: both
 * forms of one key meet. Who states both would change one of them some day and leave the other in force.
 */
function proofFields(secret: KubernetesObject, secretField: string, use: CredentialUse): Kept {
  const { fields } = use;
  const { hashField, nameField } = fields;
  const name = nameField === undefined ? undefined : nameOf(secret, nameField);
  if (name !== undefined && name.sealed.fault !== undefined) return [[name.field, name.sealed]];
  const asDigest = digestAs(name?.sealed.text, use);
  const plain = keepField(secret, secretField, asDigest);
  const hashed = hashField === undefined ? [] : keepField(secret, hashField, (value) => digestOfHash(value, use));
  if (plain.length > 0 && hashed.length > 0)
    return [[secretField, { fault: `stands beside ${hashField}; one is too many` }]];
  const [kept] = [...plain, ...hashed];
  if (kept === undefined) return [[secretField, { fault: 'is missing' }]];
  const proof = kept[1].digest === undefined ? kept : ([secretField, kept[1]] as const);
  return name === undefined ? [proof] : [proof, [name.field, name.sealed]];
}

/** A credential: the digest of its secret, and what its plugin's schema lets anybody read. */
const credentialFields: Use = (secret, sealing) => {
  const type = asFields(secret.metadata.labels)[credentialLabel];
  const fields = typeof type === 'string' ? sealing.fieldsOf(type) : undefined;
  if (fields === undefined || typeof type !== 'string') return [];
  return [
    ...(fields.secretField === undefined ? [] : proofFields(secret, fields.secretField, { type, fields, sealing })),
    ...fields.readableFields.flatMap((field) => keepField(secret, field, asText)),
  ];
};

/** A certificate, which anybody may read, and its key, which nobody may. */
const pairFields: Use = (secret, sealing) =>
  secret['type'] === tlsType
    ? [...keepField(secret, 'tls.crt', asText), ...keepField(secret, 'tls.key', hiddenBy(sealing))]
    : [];

/** The certificate of a CA, under either of the names that Kong takes, and its id (kong-facts 4.5). */
const caFields: Use = (secret) =>
  asFields(secret.metadata.labels)[caLabel] === 'true'
    ? ['id', 'cert', 'ca.crt'].flatMap((field) => keepField(secret, field, asText))
    : [];

/** Everything, if some object takes values from this Secret. */
const wantedFields: Use = (secret, sealing) => {
  if (!sealing.wants(refOf(secretKind, secret))) return [];
  const names = new Set([...Object.keys(asFields(secret['data'])), ...Object.keys(asFields(secret['stringData']))]);
  return [...names].flatMap((field) => keepField(secret, field, hiddenBy(sealing)));
};

/** What each use of a Secret keeps of it; a field with several uses keeps what each of them needs. */
const uses: readonly Use[] = [credentialFields, pairFields, caFields, wantedFields];

/**
 * Of the annotations ours alone, for others may repeat the whole Secret (last-applied-configuration). One that
 * nobody knows stays by its name, to be told.
 */
function keptAnnotations(annotations: unknown): Readonly<Record<string, string>> | undefined {
  const ours = Object.entries(asFields(annotations)).filter(([name]) => name.startsWith(ourPrefix));
  const kept = ours.map(([name, value]) => [name, name === expiresAtAnnotation ? String(value) : '']);
  return kept.length === 0 ? undefined : (Object.fromEntries(kept) as Record<string, string>);
}

/** The metadata worth keeping. */
function keptMetadata(metadata: Metadata): Metadata {
  const { name, namespace, uid, creationTimestamp, deletionTimestamp, generation, resourceVersion, labels } = metadata;
  const kept = { name, namespace, uid, creationTimestamp, deletionTimestamp, generation, resourceVersion, labels };
  const annotations = keptAnnotations(metadata.annotations);
  const stated = Object.entries({ ...kept, annotations }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(stated) as Metadata;
}

/**
 * Seals a Secret: what may not be kept is replaced by its digest, what must stay readable is hidden from
 * everything that prints, and everything that nothing asks for is dropped, before the store ever sees it.
 * Of a Secret that is no credential, no certificate, no CA and wanted by no object, only its metadata stays.
 */
export function sealSecret(secret: KubernetesObject, sealing: Sealing): KubernetesObject {
  const sealed = new Map<string, SealedField>();
  for (const [field, kept] of uses.flatMap((use) => use(secret, sealing))) {
    sealed.set(field, { ...sealed.get(field), ...kept });
  }
  const { apiVersion, kind, metadata } = secret;
  return {
    ...detached({ apiVersion, kind, metadata: keptMetadata(metadata), type: secret['type'] }),
    sealed: Object.fromEntries(sealed),
  };
}
