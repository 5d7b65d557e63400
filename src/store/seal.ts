import { credentialLabel, type SealedField } from '#resources/secret.ts';
import type { KubernetesObject, Metadata } from '#resources/kind.ts';

/** What sealing must know; the caller takes it from the plugins and the process's own secret. */
export interface Sealing {
  /** The fields of a credential type, or undefined when there is no such type. */
  fieldsOf(type: string): { readonly secretField: string; readonly readableFields: readonly string[] } | undefined;
  digest(type: string, secret: string): Buffer;
}

type Fields = Readonly<Record<string, unknown>>;

const asFields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/**
 * The value of a data field: `stringData` wins over `data`, which is base64, as the API server merges them
 * (https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data). Bytes that are not
 * UTF-8 are a fault: no request could ever carry them.
 */
function readField(secret: KubernetesObject, field: string): { value: string } | { fault: string } | undefined {
  const text = asFields(secret['stringData'])[field];
  if (text !== undefined) return typeof text === 'string' ? { value: text } : { fault: 'is not a string' };
  const encoded = asFields(secret['data'])[field];
  if (encoded === undefined || encoded === null) return undefined;
  if (typeof encoded !== 'string') return { fault: 'is not a string' };
  const compact = encoded.replaceAll(/[\r\n]/g, '');
  const bytes = Buffer.from(compact, 'base64');
  if (bytes.toString('base64') !== compact) return { fault: 'is not valid base64' };
  const value = bytes.toString('utf8');
  return Buffer.from(value, 'utf8').equals(bytes) ? { value } : { fault: 'is not UTF-8 text' };
}

function sealField(
  secret: KubernetesObject,
  field: string,
  digest: ((value: string) => Buffer) | undefined,
): SealedField {
  const read = readField(secret, field);
  if (read === undefined) return { fault: 'is missing' };
  if ('fault' in read) return read;
  if (digest === undefined) return { text: read.value };
  return read.value === '' ? { fault: 'is empty' } : { digest: digest(read.value).toString('base64url') };
}

/** The metadata worth keeping. Annotations may repeat the whole Secret (last-applied-configuration). */
function keptMetadata(metadata: Metadata): Metadata {
  const { name, namespace, uid, creationTimestamp, deletionTimestamp, generation, resourceVersion, labels } = metadata;
  const kept = { name, namespace, uid, creationTimestamp, deletionTimestamp, generation, resourceVersion, labels };
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)) as Metadata;
}

/**
 * Seals a Secret: what may not be kept is replaced by its digest, and everything that no plugin asks for
 * is dropped, before the store ever sees it. The result is a deep copy: nothing of it holds on to the text
 * that the Secret was read from.
 */
export function sealSecret(secret: KubernetesObject, sealing: Sealing): KubernetesObject {
  const type = asFields(secret.metadata.labels)[credentialLabel];
  const fields = typeof type === 'string' ? sealing.fieldsOf(type) : undefined;
  const sealed: Record<string, SealedField> = {};
  if (fields !== undefined && typeof type === 'string') {
    sealed[fields.secretField] = sealField(secret, fields.secretField, (value) => sealing.digest(type, value));
    for (const field of fields.readableFields) {
      const readable = sealField(secret, field, undefined);
      if (readable.fault !== 'is missing') sealed[field] = readable;
    }
  }
  const { apiVersion, kind, metadata } = secret;
  return JSON.parse(
    JSON.stringify({ apiVersion, kind, metadata: keptMetadata(metadata), type: secret['type'], sealed }),
  ) as KubernetesObject;
}
