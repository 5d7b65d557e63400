import type { GroupSchema } from '#plugins/plugin.ts';

/** A Secret labelled `konghq.com/credential: acl`: the group that its consumer is in (kong-facts 4.6). */
export const aclCredential: GroupSchema = { type: 'acl', groupField: 'group' };
