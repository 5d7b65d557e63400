import type { KongUpstreamPolicy } from '#resources/kong-upstream-policy.ts';
import type { RootKind } from './translation.ts';

/** An upstream policy does nothing yet, and its verdict says so; it has no class (kong-facts 4.4). */
export const kongUpstreamPolicyRoot: RootKind<KongUpstreamPolicy> = {
  translate: () => ({
    entries: [],
    problems: [
      {
        reason: 'NotSupported',
        message: 'upstream policies are not supported yet: every endpoint of a Service gets requests in turn',
        effect: 'object not in force',
      },
    ],
  }),
};
