import Type from 'typebox';
import { controlPlaneRef, controlPlaneRefRules, controlPlaneRefTransitions, tags } from './control-plane-ref.ts';
import { ageColumn, categories, programmedColumn } from './kong-columns.ts';
import { defineKind, type ObjectOf } from './kind.ts';

/** A set of consumers; its name is the object's name (kong-facts 4.1). */
export const kongConsumerGroup = defineKind({
  kind: 'KongConsumerGroup',
  group: 'configuration.konghq.com',
  version: 'v1beta1',
  plural: 'kongconsumergroups',
  scope: 'Namespaced',
  status: 'conditions',
  crd: {
    description: 'A group that KongConsumers of the same namespace name in `consumerGroups`.',
    singular: 'kongconsumergroup',
    listKind: 'KongConsumerGroupList',
    shortNames: ['kcg'],
    categories,
    printerColumns: [ageColumn, programmedColumn],
    transitions: controlPlaneRefTransitions,
    pendingDefault: 'status',
  },
  fields: Type.Object(
    {
      spec: Type.Optional(
        Type.Object(
          {
            name: Type.Optional(
              Type.String({
                description: 'Name in Konnect. Latchkey, like the ingress controller, goes by the name of the object.',
              }),
            ),
            tags: Type.Optional(tags),
            controlPlaneRef: Type.Optional(controlPlaneRef),
          },
          { additionalProperties: false, description: 'Settings of the group.' },
        ),
      ),
      status: Type.Optional(Type.Unknown()),
    },
    { additionalProperties: false },
  ),
  rules: controlPlaneRefRules,
});

export type KongConsumerGroup = ObjectOf<typeof kongConsumerGroup>;
