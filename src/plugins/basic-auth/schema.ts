import Type, { type Static } from 'typebox';
import { headerValueFault } from '#plugins/header-text.ts';
import type { PluginSchema } from '#plugins/plugin.ts';
import { basicAuthCredential } from './credential.ts';

const config = Type.Object(
  {
    anonymous: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Username or id of the consumer that a request without good credentials is let in as.',
      }),
    ),
    hide_credentials: Type.Boolean({
      default: false,
      description: 'Take the header that held the credentials out of what the upstream gets.',
    }),
    realm: Type.String({ minLength: 1, default: 'service', description: 'Realm in WWW-Authenticate.' }),
  },
  { additionalProperties: false },
);

export type BasicAuthConfig = Static<typeof config>;

/** Control side of basic-auth (RFC 7617). */
export const basicAuthSchema: PluginSchema<typeof config> = {
  name: 'basic-auth',
  config,
  refine({ realm }) {
    const message = headerValueFault(realm);
    return message === undefined ? [] : [{ field: 'config.realm', message }];
  },
  consumersOf: ({ anonymous }) => (anonymous === undefined ? [] : [anonymous]),
  credential: basicAuthCredential,
  authenticates: true,
};
