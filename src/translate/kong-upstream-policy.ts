import { refOf } from '#resources/kind.ts';
import type { KongUpstreamPolicy } from '#resources/kong-upstream-policy.ts';
import { service } from '#resources/service.ts';
import type { Ref } from '#resources/ref.ts';
import { servicesByUpstreamPolicy } from '#store/indexes.ts';
import { rankOf } from './rank.ts';
import type { Context, RootKind } from './translation.ts';
import { readPolicy } from './upstream-policy.ts';

/** The Services that name the policy, the oldest first. */
function usersOf({ ref, view }: Context): Ref[] {
  const ranked = view
    .lookup(servicesByUpstreamPolicy, `${ref.namespace}/${ref.name}`)
    .map((object) => ({ user: refOf(service, object), rank: rankOf(refOf(service, object), object) }));
  return ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ user }) => user);
}

/**
 * An upstream policy yields nothing of its own: the Services that name it read it. Its verdict says what of it
 * cannot be had; it has no class (kong-facts 4.4).
 */
export const kongUpstreamPolicyRoot: RootKind<KongUpstreamPolicy> = {
  translate: (object, context) => ({
    entries: [],
    problems: readPolicy(object).problems,
    ancestors: usersOf(context),
  }),
};
