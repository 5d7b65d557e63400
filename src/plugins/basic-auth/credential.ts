import type { ProofSchema } from '#plugins/plugin.ts';

/** A Secret labelled `konghq.com/credential: basic-auth` (kong-facts 4.6). */
export const basicAuthCredential: ProofSchema = {
  type: 'basic-auth',
  nameField: 'username',
  secretField: 'password',
  readableFields: ['ttl'],
};
