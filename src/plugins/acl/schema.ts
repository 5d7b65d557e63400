import Type, { type Static } from 'typebox';
import type { PluginSchema } from '#plugins/plugin.ts';
import { aclCredential } from './credential.ts';

const groups = (description: string) =>
  Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description }));

const config = Type.Object(
  {
    allow: groups('Groups whose members may pass. Either this or `deny`.'),
    deny: groups('Groups whose members may not pass; everybody else who is known may.'),
    hide_groups_header: Type.Boolean({
      default: false,
      description: 'Do not tell the upstream the groups, which it otherwise gets as X-Consumer-Groups.',
    }),
    include_consumer_groups: Type.Boolean({
      default: false,
      description: 'Count the KongConsumerGroups of the consumer too.',
    }),
    always_use_authenticated_groups: Type.Boolean({
      default: false,
      description: 'Go by the groups that an authentication plugin found out, where it did, and not by the consumer.',
    }),
  },
  { additionalProperties: false },
);

export type AclConfig = Static<typeof config>;

const fields = "'config.allow', 'config.deny'";

/** Control side of acl: who of the callers that are known may pass. */
export const aclSchema: PluginSchema<typeof config> = {
  name: 'acl',
  config,
  refine({ allow, deny }) {
    if (allow === undefined && deny === undefined) {
      return [{ field: 'config.allow', message: `at least one of these fields must be non-empty: ${fields}` }];
    }
    if (allow === undefined || deny === undefined) return [];
    return [{ field: 'config.deny', message: `only one of these fields must be non-empty: ${fields}` }];
  },
  credential: aclCredential,
  isForAllCallers: true,
};
