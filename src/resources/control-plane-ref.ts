import Type from 'typebox';
import type { Rule, TransitionRule } from './kind.ts';

/** The spec that KongConsumer and KongConsumerGroup have in common (kong-facts 4.1). */
export const controlPlaneRef = Type.Object(
  {
    type: Type.Optional(
      Type.Union([Type.Literal('konnectID'), Type.Literal('konnectNamespacedRef'), Type.Literal('kic')], {
        description: 'Kind of control plane. `kic` is the ingress controller, which Latchkey stands in for.',
        default: 'kic',
      }),
    ),
    konnectID: Type.Optional(Type.String({ description: 'Id of a control plane in Konnect.' })),
    konnectNamespacedRef: Type.Optional(
      Type.Object(
        {
          name: Type.String({ description: 'Name of the Konnect control plane object.' }),
          namespace: Type.Optional(Type.String({ description: 'Its namespace. Not allowed here.' })),
        },
        { description: 'A Konnect control plane that is an object of the cluster.' },
      ),
    ),
  },
  {
    description:
      'The control plane that the object is meant for. Accepted for the sake of existing manifests; Latchkey knows none but itself, so only `type: kic` means something here.',
  },
);

export const tags = Type.Array(Type.String(), {
  description: 'Tags that the Admin API shows: at most 20, each of 1 to 128 characters.',
  maxItems: 20,
});

interface WithSpec {
  readonly spec?: {
    readonly tags?: readonly string[];
    readonly controlPlaneRef?: {
      readonly type?: string;
      readonly konnectNamespacedRef?: { readonly name?: string; readonly namespace?: string };
    };
  };
}

const hasRef = (object: string): string => `has(${object}.spec) && has(${object}.spec.controlPlaneRef)`;
const field = 'spec.controlPlaneRef';

/** Rules of that spec, in Kong's words. */
export const controlPlaneRefRules: readonly Rule<WithSpec>[] = [
  {
    message: "'konnectID' type is not supported",
    field,
    cel: `!(${hasRef('self')}) || !has(self.spec.controlPlaneRef.type) || self.spec.controlPlaneRef.type != 'konnectID'`,
    holds: ({ spec }) => spec?.controlPlaneRef?.type !== 'konnectID',
  },
  {
    message: 'spec.controlPlaneRef cannot specify namespace for namespaced resource',
    field,
    // `namespace` is a word of CEL's own, so it is written __namespace__.
    cel: `!(${hasRef('self')}) || !has(self.spec.controlPlaneRef.konnectNamespacedRef) || !has(self.spec.controlPlaneRef.konnectNamespacedRef.__namespace__)`,
    holds: ({ spec }) => spec?.controlPlaneRef?.konnectNamespacedRef?.namespace === undefined,
  },
  {
    message: 'tags entries must not be longer than 128 characters',
    field: 'spec.tags',
    cel: '!has(self.spec) || !has(self.spec.tags) || self.spec.tags.all(tag, size(tag) >= 1 && size(tag) <= 128)',
    // As CEL counts them: code points.
    holds: ({ spec }) => (spec?.tags ?? []).every((tag) => tag !== '' && Array.from(tag).length <= 128),
  },
];

const isProgrammed =
  "has(self.status) && has(self.status.conditions) && self.status.conditions.exists(c, c.type == 'Programmed' && c.status == 'True')";

export const controlPlaneRefTransitions: readonly TransitionRule[] = [
  {
    message: 'controlPlaneRef is required once set',
    field: 'spec',
    cel: `!(${hasRef('oldSelf')}) || (${hasRef('self')})`,
  },
  {
    message: 'spec.controlPlaneRef is immutable when an entity is already Programmed',
    field,
    cel: `!(${hasRef('oldSelf')}) || !(${hasRef('self')}) || !(${isProgrammed}) || oldSelf.spec.controlPlaneRef == self.spec.controlPlaneRef`,
  },
];
