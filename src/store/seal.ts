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

/** What sealing must know; the caller takes it from the plugins and the process's own secret. */
export interface Sealing {
  /** The fields of a credential type, or undefined when there is no such type. */
  fieldsOf(type: string): { readonly secretField: string; readonly readableFields: readonly string[] } | undefined;
  digest(type: string, secret: string): Buffer;
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

/** A credential: the digest of its secret, and what its plugin's schema lets anybody read. */
const credentialFields: Use = (secret, sealing) => {
  const type = asFields(secret.metadata.labels)[credentialLabel];
  const fields = typeof type === 'string' ? sealing.fieldsOf(type) : undefined;
  if (fields === undefined || typeof type !== 'string') return [];
  const digest: Keep = (value) =>
    value === '' ? { fault: 'is empty' } : { digest: sealing.digest(type, value).toString('base64url') };
  const kept = keepField(secret, fields.secretField, digest);
  return [
    ...(kept.length === 0 ? [[fields.secretField, { fault: 'is missing' }] as const] : kept),
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

/** The metadata worth keeping. Annotations may repeat the whole Secret (last-applied-configuration). */
function keptMetadata(metadata: Metadata): Metadata {
  const { name, namespace, uid, creationTimestamp, deletionTimestamp, generation, resourceVersion, labels } = metadata;
  const kept = { name, namespace, uid, creationTimestamp, deletionTimestamp, generation, resourceVersion, labels };
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)) as Metadata;
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
