import { consumerId } from '#resources/ids.ts';
import { refOf } from '#resources/kind.ts';
import { kongConsumer, type KongConsumer } from '#resources/kong-consumer.ts';
import { consumersById, consumersByUsername } from '#store/indexes.ts';
import type { ConsumerIdentity } from '#table/consumer-identity.ts';
import { foreignClass } from './ingress-class.ts';
import { membershipsOf, type Memberships } from './memberships.ts';
import { rankOf } from './rank.ts';
import type { Context } from './translation.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** How an upstream is told of a consumer, and what comes with being it. Empty names count as absent. */
export function identityOf(object: KongConsumer, memberships: Memberships): ConsumerIdentity {
  return {
    id: consumerId(object, refOf(kongConsumer, object)),
    namespace: object.metadata.namespace ?? 'default',
    ...(object.username === undefined || object.username === '' ? {} : { username: object.username }),
    ...(object.custom_id === undefined || object.custom_id === '' ? {} : { customId: object.custom_id }),
    ...memberships.of,
  };
}

/** The oldest of those of our class: with two of one username the older has it. */
function oldest(found: readonly KongConsumer[], context: Context): ConsumerIdentity | undefined {
  const [first] = found
    .filter((object) => foreignClass(object, context, undefined) === undefined)
    .map((object) => ({ object, rank: rankOf(refOf(kongConsumer, object), object) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1));
  if (first === undefined) return undefined;
  const { object } = first;
  return identityOf(object, membershipsOf(object, { ref: refOf(kongConsumer, object), view: context.view }));
}

/** A consumer by id, if the text looks like one, else by username (kong-facts 1.7). */
export function findConsumer(idOrUsername: string, context: Context): ConsumerIdentity | undefined {
  const byId = uuid.test(idOrUsername) ? context.view.lookup(consumersById, idOrUsername.toLowerCase()) : [];
  return oldest(byId, context) ?? oldest(context.view.lookup(consumersByUsername, idOrUsername), context);
}
