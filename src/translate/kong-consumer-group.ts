import type { KongConsumerGroup } from '#resources/kong-consumer-group.ts';
import { controlPlaneRefProblems } from './control-plane-ref.ts';
import { foreignClass } from './ingress-class.ts';
import type { RootKind, Translation } from './translation.ts';

function translateGroup(object: KongConsumerGroup): Translation {
  const message = 'consumer groups are not supported yet: no consumer is a member of it';
  return {
    entries: [],
    problems: [{ reason: 'NotSupported', message, effect: 'object not in force' }, ...controlPlaneRefProblems(object)],
  };
}

/** A consumer group does nothing yet, and its verdict says so. */
export const kongConsumerGroupRoot: RootKind<KongConsumerGroup> = {
  translate(object, context) {
    const foreign = foreignClass(object, context, undefined);
    return foreign === undefined ? translateGroup(object) : { entries: [], problems: [], notOurs: foreign };
  },
};
