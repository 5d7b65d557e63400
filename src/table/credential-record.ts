import type { ConsumerIdentity } from './consumer-identity.ts';
import type { Credential, CredentialEntry } from './credential-entry.ts';

/** A credential with its expiry, as it is read back. */
export interface CredentialRecord extends Credential {
  /** Milliseconds since the epoch; Infinity when it does not expire. */
  readonly expiresAtMs: number;
}

/*
 * Layout, in bytes. Ids that are UUIDs take 16 bytes, others are text.
 *
 *   0  expiry, float64
 *   8  length of username + 1, or 0 if there is none; uint16
 *  10  length of custom id + 1, or 0 if there is none; uint16
 *  12  length of credential id as text, or 0 if it is 16 raw bytes; uint16
 *  14  length of consumer id as text, or 0 if it is 16 raw bytes; uint16
 *  16  credential id, consumer id, username, custom id
 */
const headBytes = 16;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const packId = (id: string): { readonly bytes: Buffer; readonly textLength: number } => {
  if (uuidPattern.test(id)) return { bytes: Buffer.from(id.replaceAll('-', ''), 'hex'), textLength: 0 };
  const bytes = Buffer.from(id, 'utf8');
  return { bytes, textLength: bytes.byteLength };
};

/** Packs a credential. Never longer than `headBytes` and its texts; a multiple of 8 bytes. */
export function packRecord(entry: CredentialEntry): Buffer {
  const credentialId = packId(entry.credentialId);
  const consumerId = packId(entry.consumer.id);
  const username = Buffer.from(entry.consumer.username ?? '', 'utf8');
  const customId = Buffer.from(entry.consumer.customId ?? '', 'utf8');
  const parts = [credentialId.bytes, consumerId.bytes, username, customId];
  const length = parts.reduce((sum, part) => sum + part.byteLength, headBytes);
  const record = Buffer.alloc(Math.ceil(length / 8) * 8);
  record.writeDoubleLE(entry.expiresAtMs ?? Number.POSITIVE_INFINITY, 0);
  record.writeUInt16LE(entry.consumer.username === undefined ? 0 : username.byteLength + 1, 8);
  record.writeUInt16LE(entry.consumer.customId === undefined ? 0 : customId.byteLength + 1, 10);
  record.writeUInt16LE(credentialId.textLength, 12);
  record.writeUInt16LE(consumerId.textLength, 14);
  let at = headBytes;
  for (const part of parts) at += part.copy(record, at);
  return record;
}

/** Bytes that the record at `at` takes. */
export function recordLength(bytes: Buffer, at: number): number {
  const text = (offset: number): number => Math.max(0, bytes.readUInt16LE(at + offset) - 1);
  const id = (offset: number): number => bytes.readUInt16LE(at + offset) || 16;
  return Math.ceil((headBytes + id(12) + id(14) + text(8) + text(10)) / 8) * 8;
}

function readId(bytes: Buffer, at: number, textLength: number): string {
  if (textLength > 0) return bytes.toString('utf8', at, at + textLength);
  const hex = bytes.toString('hex', at, at + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Reads the record at `at`. */
export function unpackRecord(bytes: Buffer, at: number): CredentialRecord {
  const credentialText = bytes.readUInt16LE(at + 12);
  const consumerText = bytes.readUInt16LE(at + 14);
  const usernameAt = at + headBytes + (credentialText || 16) + (consumerText || 16);
  const usernameLength = bytes.readUInt16LE(at + 8) - 1;
  const customIdLength = bytes.readUInt16LE(at + 10) - 1;
  const customIdAt = usernameAt + Math.max(0, usernameLength);
  const consumer: ConsumerIdentity = {
    id: readId(bytes, at + headBytes + (credentialText || 16), consumerText),
    ...(usernameLength < 0 ? {} : { username: bytes.toString('utf8', usernameAt, usernameAt + usernameLength) }),
    ...(customIdLength < 0 ? {} : { customId: bytes.toString('utf8', customIdAt, customIdAt + customIdLength) }),
  };
  return {
    credentialId: readId(bytes, at + headBytes, credentialText),
    consumer,
    expiresAtMs: bytes.readDoubleLE(at),
  };
}
