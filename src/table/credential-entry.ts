import type { ConsumerIdentity } from './consumer-identity.ts';

/**
 * A credential in force: what its digest proves. It lives in the shared credential index, not in the
 * workers' own memory, so it never travels in a patch.
 */
export interface CredentialEntry {
  readonly kind: 'credential';
  /** Unique in the table: `credential:<ref of the Secret>@<ref of the consumer>`. */
  readonly key: string;
  /** Keyed digest of type and key, as `digest.ts` makes it; 16 bytes as 22 characters of base64url. */
  readonly digest: string;
  /** UUID of the credential, told to the upstream as `X-Credential-Identifier`. */
  readonly credentialId: string;
  readonly consumer: ConsumerIdentity;
  /** Milliseconds since the epoch; absent when the credential does not expire. */
  readonly expiresAtMs?: number;
}

/** What a worker learns when a key is found in the index. */
export interface Credential {
  readonly credentialId: string;
  readonly consumer: ConsumerIdentity;
}
