import { refOf } from '#resources/kind.ts';
import type { KongUpstreamPolicy } from '#resources/kong-upstream-policy.ts';
import { service } from '#resources/service.ts';
import type { Ref } from '#resources/ref.ts';
import { servicesByUpstreamPolicy } from '#store/indexes.ts';
import { rankOf } from './rank.ts';
import type { Context, RootKind } from './translation.ts';

/** The Services that name the policy, the oldest first. */
function usersOf({ ref, view }: Context): Ref[] {
  const ranked = view
    .lookup(servicesByUpstreamPolicy, `${ref.namespace}/${ref.name}`)
    .map((object) => ({ user: refOf(service, object), rank: rankOf(refOf(service, object), object) }));
  return ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ user }) => user);
}

/** An upstream policy does nothing yet, and its verdict says so; it has no class (kong-facts 4.4). */
export const kongUpstreamPolicyRoot: RootKind<KongUpstreamPolicy> = {
  translate: (_, context) => ({
    entries: [],
    problems: [
      {
        reason: 'NotSupported',
        message: 'upstream policies are not supported yet: every endpoint of a Service gets requests in turn',
        effect: 'object not in force',
      },
    ],
    ancestors: usersOf(context),
  }),
};
