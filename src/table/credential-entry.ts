import type { ConsumerIdentity } from './consumer-identity.ts';

/**
 * A credential in force: what its digest proves. It lives in the shared credential index, not in the
 * workers' own memory, so it never travels in a patch.
 */
export interface CredentialEntry {
  readonly kind: 'credential';
  /** Unique in the table: `credentialKey` makes it. */
  readonly key: string;
  /** Keyed digest of type and key, as `digest.ts` makes it; 16 bytes as 22 characters of base64url. */
  readonly digest: string;
  /** UUID of the credential, told to the upstream as `X-Credential-Identifier`. */
  readonly credentialId: string;
  readonly consumer: ConsumerIdentity;
  /** Milliseconds since the epoch; absent when the credential does not expire. */
  readonly expiresAtMs?: number;
}

/** The objects behind a credential: a consumer lists Secrets of its own namespace. */
export interface CredentialPlace {
  readonly namespace: string;
  /** Name of the Secret. */
  readonly secret: string;
  /** Name of the consumer's object. */
  readonly consumer: string;
}

/** The key of a credential's entry. In one piece: a template would keep each of its parts, a million times. */
export function credentialKey({ namespace, secret, consumer }: CredentialPlace): string {
  return ['credential:Secret/', namespace, '/', secret, '@KongConsumer/', namespace, '/', consumer].join('');
}

/** The objects behind the key of a credential's entry: names hold no slash. Undefined for what is no such key. */
export function credentialPlace(key: string): CredentialPlace | undefined {
  const [, namespace, secret, , consumer, ...more] = key.split('/');
  if (namespace === undefined || secret === undefined || consumer === undefined || more.length > 0) return undefined;
  return { namespace, secret: secret.slice(0, secret.lastIndexOf('@')), consumer };
}

/** What finds a credential: in the index, and among the objects. */
export type CredentialName = Pick<CredentialEntry, 'kind' | 'key' | 'digest'>;

/** What is kept of a credential, which the index has whole, in one text: its digest and its Secret. */
export function credentialMark({ digest, key }: CredentialEntry): string {
  return [digest, '/', credentialPlace(key)?.secret ?? ''].join('');
}

/** The credential that a mark is of, and the object of its consumer. */
export function markedCredential(mark: string, { namespace, name }: ConsumerObject): CredentialName {
  const slash = mark.indexOf('/');
  const place = { namespace, secret: mark.slice(slash + 1), consumer: name };
  return { kind: 'credential', key: credentialKey(place), digest: mark.slice(0, slash) };
}

interface ConsumerObject {
  readonly namespace: string;
  readonly name: string;
}

/** What a worker learns when a key is found in the index. */
export interface Credential {
  readonly credentialId: string;
  readonly consumer: ConsumerIdentity;
}
