import type { Identity, PluginHandler, Refusal } from '#plugins/plugin.ts';
import type { AclConfig } from './schema.ts';

const unauthorized: Refusal = { status: 401, message: 'Unauthorized', outcome: 'no-consumer' };
const forbidden: Refusal = { status: 403, message: 'You cannot consume this service', outcome: 'not-in-group' };

/** The groups that count, and whether there may be others that nobody could read. */
interface Groups {
  readonly names: readonly string[];
  readonly areWhole: boolean;
}

function groupsOf(config: AclConfig, { consumer, authenticatedGroups }: Identity): Groups {
  if (config.always_use_authenticated_groups && authenticatedGroups !== undefined) {
    return { names: authenticatedGroups, areWhole: true };
  }
  const named = config.include_consumer_groups ? (consumer.consumerGroups ?? []) : [];
  return { names: [...(consumer.groups ?? []), ...named], areWhole: consumer.groupsAreUnknown !== true };
}

/** A group that is forbidden may be among those that could not be read: who has such may not pass. */
function mayPass({ allow, deny }: AclConfig, { names, areWhole }: Groups): boolean {
  if (allow !== undefined) return names.some((name) => allow.includes(name));
  return areWhole && !names.some((name) => deny?.includes(name) === true);
}

/** Lets pass whose groups are allowed, and tells the upstream the groups. */
export const aclHandler: PluginHandler<AclConfig> = {
  name: 'acl',
  access(config, exchange) {
    const { identity } = exchange;
    if (identity === undefined) return unauthorized;
    const groups = groupsOf(config, identity);
    if (!mayPass(config, groups)) return forbidden;
    if (!config.hide_groups_header && groups.names.length > 0) {
      exchange.setHeader('X-Consumer-Groups', groups.names.join(', '));
    }
    return undefined;
  },
};
