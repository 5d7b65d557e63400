import { kongConsumerGroup, type KongConsumerGroup } from '#resources/kong-consumer-group.ts';
import type { Ref } from '#resources/ref.ts';
import type { Problem } from '#resources/verdict.ts';
import type { Fact, View } from '#store/view.ts';
import { annotationField, unsupportedAnnotations } from './annotations.ts';
import { controlPlaneRefProblems } from './control-plane-ref.ts';
import { foreignClass } from './ingress-class.ts';
import { callerPlugins, keysOf, type AttachedPlugin } from './plugin-references.ts';
import type { Context, RootKind, Translation } from './translation.ts';

interface GroupPlugins {
  readonly plugins: readonly AttachedPlugin[];
  readonly problems: readonly Problem[];
}

/** The plugins of a group. One that consumers name as well runs for those alone (kong-facts 4.7). */
function pluginsOf(object: KongConsumerGroup, { ref, view }: Pick<Context, 'ref' | 'view'>): GroupPlugins {
  const { plugins, problems } = callerPlugins({ ref, object, view, effect: 'consumer answers 503' });
  const field = annotationField('konghq.com/plugins');
  const ignored = plugins.filter(({ isForConsumers }) => isForConsumers === true).map(({ key }) => key);
  const told = ignored.map((key): Problem => {
    const name = key.slice(key.lastIndexOf('/') + 1);
    const message = `${field}: ${name} is attached to consumers too and runs for those alone`;
    return { reason: 'PluginNotAllowed', field, message, effect: 'field ignored' };
  });
  return { plugins: plugins.filter(({ key }) => !ignored.includes(key)), problems: [...problems, ...told] };
}

/** What its members want to know of a group: the keys of its plugins as `keysOf` has them, and whether all can be had. */
export type GroupFact =
  | { readonly state: 'absent' }
  | { readonly state: 'invalid' }
  | {
      readonly state: 'valid';
      readonly plugins: readonly string[];
      readonly pairPlugins: readonly string[];
      readonly isInForce: boolean;
    };

function factOf(ref: Ref, view: View): GroupFact {
  const state = view.stateOf(ref);
  if (state !== 'valid') return { state };
  const object = view.get(kongConsumerGroup, ref.namespace, ref.name);
  if (object === undefined || foreignClass(object, { view }, undefined) !== undefined) return { state: 'absent' };
  const { plugins, problems } = pluginsOf(object, { ref, view });
  const { everywhere, pairs } = keysOf(plugins);
  return {
    state,
    plugins: everywhere,
    pairPlugins: pairs,
    isInForce: problems.every(({ effect }) => effect !== 'consumer answers 503'),
  };
}

/** A fact, so that a group of ten thousand may change its description without re-running all of them. */
export const groupFact: Fact<GroupFact> = { name: 'consumer-group', compute: factOf };

function translateGroup(object: KongConsumerGroup, context: Context): Translation {
  const { problems } = pluginsOf(object, context);
  return {
    entries: [],
    problems: [...unsupportedAnnotations(object), ...problems, ...controlPlaneRefProblems(object)],
  };
}

/** A consumer group yields nothing: its members carry its name and its plugins. */
export const kongConsumerGroupRoot: RootKind<KongConsumerGroup> = {
  translate(object, context) {
    const foreign = foreignClass(object, context, undefined);
    return foreign === undefined ? translateGroup(object, context) : { entries: [], problems: [], notOurs: foreign };
  },
};
