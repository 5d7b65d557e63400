import type { ConsumerIdentity } from './consumer-identity.ts';
import type { Credential, CredentialEntry } from './credential-entry.ts';
import { wordBytes } from './credential-memory.ts';
import { digestBytes } from './digest.ts';
import { mostTextBytes, packText, textBytes, unpackText } from './packed-text.ts';

/*
 * A record, in bytes. It has its own digest, so that whoever finds it can see that it is the right one.
 *
 *    0   digest
 *   16   1 if the credential expires, else 0
 *   17   kinds of its texts (`packed-text.ts`): credential id, consumer id, username, custom id, namespace,
 *        and what few consumers have (groups, plugins) as JSON
 *   23   milliseconds since the epoch at which it expires (float64), if it does
 *   23 or 31   the texts
 *
 * With two UUIDs, a username of 12 characters and a namespace of 7 that is 74 bytes. Consumers are not shared between
 * their credentials: it would save 28 of those bytes at best, and only where consumers have several.
 */
const expiresAt = digestBytes;
const kindsAt = expiresAt + 1;
const texts = 6;
const headBytes = kindsAt + texts;
const expiryBytes = 8;

function textsOf({ credentialId, consumer }: CredentialEntry): readonly (string | undefined)[] {
  const { id, username, customId, namespace, ...memberships } = consumer;
  return [credentialId, id, username, customId, namespace, membershipText(memberships)];
}

/** Groups and plugins; undefined for the many consumers that have neither. */
type Memberships = Pick<
  ConsumerIdentity,
  'groups' | 'consumerGroups' | 'plugins' | 'pairPlugins' | 'groupPlugins' | 'groupPairPlugins'
>;

function membershipText(memberships: Memberships): string | undefined {
  return Object.keys(memberships).length === 0 ? undefined : JSON.stringify(memberships);
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
  const id = next(1) ?? '';
  const username = next(2);
  const customId = next(3);
  const consumer: { id: string; namespace: string; username?: string; customId?: string } & Memberships = {
    id,
    namespace: next(4) ?? '',
  };
  if (username !== undefined) consumer.username = username;
  if (customId !== undefined) consumer.customId = customId;
  const memberships = next(5);
  if (memberships !== undefined) Object.assign(consumer, JSON.parse(memberships) as Memberships);
  return { credentialId, consumer };
}
