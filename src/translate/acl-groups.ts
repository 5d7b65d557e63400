import type { KongConsumer } from '#resources/kong-consumer.ts';
import type { Ref } from '#resources/ref.ts';
import { credentialLabel, secret, type Secret } from '#resources/secret.ts';
import { credentialSchemas } from '#plugins/schemas.ts';
import type { View } from '#store/view.ts';
import type { ConsumerIdentity } from '#table/consumer-identity.ts';
import { readCredential } from './credential.ts';

/** The group that a Secret puts its consumer in; `unknown` for one that may name a group and cannot be read. */
function groupOf(found: Secret | undefined): { readonly group: string } | 'none' | 'unknown' {
  if (found === undefined) return 'unknown'; // nobody knows of which type it was
  const schema = credentialSchemas.get(found.metadata.labels?.[credentialLabel] ?? '');
  if (schema === undefined || !('groupField' in schema)) return 'none';
  const read = readCredential(found);
  return 'group' in read ? { group: read.group } : 'unknown';
}

/** The ACL groups of a consumer, by the Secrets that it lists (kong-facts 4.6). What is wrong is told elsewhere. */
export function aclGroupsOf(
  { credentials = [] }: KongConsumer,
  { ref, view }: { readonly ref: Ref; readonly view: View },
): Pick<ConsumerIdentity, 'groups' | 'groupsAreUnknown'> {
  const found = credentials.map((name) => groupOf(view.get(secret, ref.namespace, name)));
  const groups = found.flatMap((one) => (typeof one === 'string' ? [] : [one.group]));
  return {
    ...(groups.length === 0 ? {} : { groups: [...new Set(groups)] }),
    ...(found.includes('unknown') ? { groupsAreUnknown: true as const } : {}),
  };
}
