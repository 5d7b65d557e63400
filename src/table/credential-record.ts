import type { Credential, CredentialEntry } from './credential-entry.ts';
import { wordBytes } from './credential-memory.ts';
import { digestBytes } from './digest.ts';
import { mostTextBytes, packText, textBytes, unpackText } from './packed-text.ts';

/*
 * A record, in bytes. It has its own digest, so that whoever finds it can see that it is the right one.
 *
 *    0   digest
 *   16   1 if the credential expires, else 0
 *   17   kinds of credential id, consumer id, username and custom id (`packed-text.ts`)
 *   21   milliseconds since the epoch at which it expires (float64), if it does
 *   21 or 29   the four texts
 *
 * With two UUIDs and a username of 12 characters that is 65 bytes. Consumers are not shared between
 * their credentials: it would save 28 of those bytes at best, and only where consumers have several.
 */
const expiresAt = digestBytes;
const kindsAt = expiresAt + 1;
const texts = 4;
const headBytes = kindsAt + texts;
const expiryBytes = 8;

function textsOf({ credentialId, consumer }: CredentialEntry): readonly (string | undefined)[] {
  return [credentialId, consumer.id, consumer.username, consumer.customId];
}

/** Never less than the bytes that the record of a credential takes. */
export function mostRecordBytes(entry: CredentialEntry): number {
  return textsOf(entry).reduce((sum, text) => sum + mostTextBytes(text), headBytes + expiryBytes);
}

/** Packs a credential to byte `at` and gives the end. */
export function packRecord(entry: CredentialEntry, digest: Buffer, to: Buffer, at: number): number {
  digest.copy(to, at);
  to[at + expiresAt] = entry.expiresAtMs === undefined ? 0 : 1;
  let end = at + headBytes;
  if (entry.expiresAtMs !== undefined) end = to.writeDoubleLE(entry.expiresAtMs, end);
  let kindAt = at + kindsAt;
  for (const text of textsOf(entry)) {
    end = packText(text, to, kindAt, end);
    kindAt += 1;
  }
  return end;
}

function firstTextAt(bytes: Buffer, at: number): number {
  return at + headBytes + (bytes[at + expiresAt] === 0 ? 0 : expiryBytes);
}

/** The end of the record at byte `at`. */
export function recordEnd(bytes: Buffer, at: number): number {
  let end = firstTextAt(bytes, at);
  for (let i = 0; i < texts; i += 1) end += textBytes(bytes, bytes[at + kindsAt + i] ?? 0, end);
  return end;
}

/** Words that the record at a place takes. */
export function recordWords(bytes: Buffer, place: number): number {
  const at = place * wordBytes;
  return Math.ceil((recordEnd(bytes, at) - at) / wordBytes);
}

/** Milliseconds since the epoch at which the credential at a place expires; Infinity when it does not. */
export function expiryMs(bytes: Buffer, place: number): number {
  const at = place * wordBytes;
  return bytes[at + expiresAt] === 0 ? Number.POSITIVE_INFINITY : bytes.readDoubleLE(at + headBytes);
}

/** The credential at a place. */
export function unpackRecord(bytes: Buffer, place: number): Credential {
  const at = place * wordBytes;
  const kindAt = at + kindsAt;
  let textAt = firstTextAt(bytes, at);
  const next = (i: number): string | undefined => {
    const kind = bytes[kindAt + i] ?? 0;
    const start = textAt;
    textAt += textBytes(bytes, kind, start);
    return unpackText(bytes, kind, start);
  };
  const credentialId = next(0) ?? '';
  const consumer: { id: string; username?: string; customId?: string } = { id: next(1) ?? '' };
  const username = next(2);
  if (username !== undefined) consumer.username = username;
  const customId = next(3);
  if (customId !== undefined) consumer.customId = customId;
  return { credentialId, consumer };
}
