import type { KongConsumer } from '#resources/kong-consumer.ts';
import { formatRef, type Ref } from '#resources/ref.ts';
import type { Problem } from '#resources/verdict.ts';
import type { View } from '#store/view.ts';
import type { ConsumerIdentity } from '#table/consumer-identity.ts';
import { aclGroupsOf } from './acl-groups.ts';
import { groupFact } from './kong-consumer-group.ts';
import { callerPlugins, keysOf } from './plugin-references.ts';

/** What comes with being this consumer, and what of it cannot be had. */
export interface Memberships {
  readonly of: Omit<ConsumerIdentity, 'id' | 'namespace' | 'username' | 'customId'>;
  readonly problems: readonly Problem[];
}

interface GroupsFound {
  readonly names: string[];
  readonly plugins: string[];
  readonly pairPlugins: string[];
  readonly problems: Problem[];
}

/**
 * A group that cannot be known may be one that is forbidden something: its place is taken by the key of no
 * plugin, so that the consumer is answered 503.
 */
function joinGroup(name: string, field: string, { ref, view }: Place, found: GroupsFound): void {
  const about = { kind: 'KongConsumerGroup', namespace: ref.namespace, name };
  const fact = view.fact(groupFact, about);
  const refuse = (reason: 'ConsumerGroupNotFound' | 'PluginNotInForce', message: string): void => {
    found.problems.push({ reason, field, about, message: `${field}: ${message}`, effect: 'consumer answers 503' });
  };
  if (fact.state !== 'valid') {
    const what = fact.state === 'invalid' ? 'is invalid, see its own status' : 'does not exist in our class';
    refuse('ConsumerGroupNotFound', `${formatRef(about)} ${what}`);
    found.plugins.push(`plugin:unavailable/group/${ref.namespace}/${name}`);
    return;
  }
  if (!fact.isInForce)
    refuse('PluginNotInForce', `a plugin of ${formatRef(about)} is not in force, see its own status`);
  found.names.push(name);
  found.plugins.push(...fact.plugins);
  found.pairPlugins.push(...fact.pairPlugins);
}

interface Place {
  readonly ref: Ref;
  readonly view: View;
}

const listed = (name: keyof ConsumerIdentity, keys: readonly string[]): Partial<ConsumerIdentity> =>
  keys.length === 0 ? {} : { [name]: [...new Set(keys)] };

const noMemberships: Memberships = { of: {}, problems: [] };

/** Groups and plugins of a consumer; for the many that have neither, one and the same nothing. */
export function membershipsOf(object: KongConsumer, { ref, view }: Place): Memberships {
  const own = callerPlugins({ ref, object, view, effect: 'consumer answers 503' });
  const groups: GroupsFound = { names: [], plugins: [], pairPlugins: [], problems: [] };
  for (const [i, name] of (object.consumerGroups ?? []).entries()) {
    joinGroup(name, `consumerGroups[${i}]`, { ref, view }, groups);
  }
  const { everywhere: plugins, pairs: pairPlugins } = keysOf(own.plugins);
  const problems = [...own.problems, ...groups.problems];
  const acl = aclGroupsOf(object, { ref, view });
  const count = own.plugins.length + groups.names.length + groups.plugins.length + problems.length;
  if (count + Object.keys(acl).length === 0) return noMemberships;
  return {
    of: {
      ...acl,
      ...(groups.names.length === 0 ? {} : { consumerGroups: groups.names }),
      ...listed('plugins', plugins),
      ...listed('pairPlugins', pairPlugins),
      ...listed('groupPlugins', groups.plugins),
      ...listed('groupPairPlugins', groups.pairPlugins),
    },
    problems,
  };
}
