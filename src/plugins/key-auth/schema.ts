import Type, { type Static } from 'typebox';
import { headerNameFault, headerValueFault } from '#plugins/header-text.ts';
import type { PluginSchema } from '#plugins/plugin.ts';
import { keyAuthCredential } from './credential.ts';

const config = Type.Object(
  {
    key_names: Type.Array(Type.String({ minLength: 1 }), {
      default: ['apikey'],
      description: 'Names under which a key is looked for, in this order; a `_` also matches a header with `-`.',
    }),
    key_in_header: Type.Boolean({ default: true, description: 'Look for the key in request headers.' }),
    key_in_query: Type.Boolean({ default: true, description: 'Look for the key in the query.' }),
    key_in_body: Type.Boolean({
      default: false,
      description: 'Look for the key in a form, multipart or JSON body of at most 8 KiB.',
    }),
    hide_credentials: Type.Boolean({
      default: false,
      description: 'Take the key out of what the upstream gets, wherever it stands under the name that matched.',
    }),
    anonymous: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Username or id of the consumer that a request without a good key is let in as.',
      }),
    ),
    run_on_preflight: Type.Boolean({
      default: true,
      description: 'Ask for a key on OPTIONS requests too.',
    }),
    realm: Type.Optional(Type.String({ minLength: 1, description: 'Realm in WWW-Authenticate.' })),
  },
  { additionalProperties: false },
);

export type KeyAuthConfig = Static<typeof config>;

/** Control side of key-auth (kong-facts 1.1). */
export const keyAuthSchema: PluginSchema<typeof config> = {
  name: 'key-auth',
  config,
  refine({ key_names, realm }) {
    const faults = key_names.map((name, i) => ({ field: `config.key_names[${i}]`, message: headerNameFault(name) }));
    faults.push({ field: 'config.realm', message: headerValueFault(realm ?? '') });
    return faults.flatMap(({ field, message }) => (message === undefined ? [] : [{ field, message }]));
  },
  consumersOf: ({ anonymous }) => (anonymous === undefined ? [] : [anonymous]),
  credential: keyAuthCredential,
  authenticates: true,
};
