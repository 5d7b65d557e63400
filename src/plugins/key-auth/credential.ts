import type { CredentialSchema } from '#plugins/plugin.ts';

/** A Secret labelled `konghq.com/credential: key-auth` (kong-facts 4.6). */
export const keyAuthCredential: CredentialSchema = {
  type: 'key-auth',
  secretField: 'key',
  hashField: 'keyHash',
  readableFields: ['ttl'],
};
