import Type from 'typebox';
import { controlPlaneRef, controlPlaneRefRules, controlPlaneRefTransitions, tags } from './control-plane-ref.ts';
import { ageColumn, categories, programmedColumn } from './kong-columns.ts';
import { lastUsesSchema } from './last-used.ts';
import { defineKind, type ObjectOf } from './kind.ts';

/** A caller that is known by name; kong-facts 4.1 and 4.6. */
export const kongConsumer = defineKind({
  kind: 'KongConsumer',
  group: 'configuration.konghq.com',
  version: 'v1',
  plural: 'kongconsumers',
  scope: 'Namespaced',
  status: 'conditions',
  adminVerbs: ['create', 'patch', 'delete'],
  crd: {
    description: 'A caller that is known by name, with the Secrets that hold its keys.',
    singular: 'kongconsumer',
    listKind: 'KongConsumerList',
    shortNames: ['kc'],
    categories,
    printerColumns: [
      { name: 'Username', type: 'string', jsonPath: '.username', description: 'Name of the consumer' },
      ageColumn,
      programmedColumn,
      {
        name: 'Last-Used',
        type: 'date',
        jsonPath: '.status.lastUsedTime',
        description: 'When a credential of the consumer was last used, if that is noted',
        priority: 1,
      },
    ],
    transitions: controlPlaneRefTransitions,
    pendingDefault: 'status',
    statusFields: lastUsesSchema,
  },
  fields: Type.Object(
    {
      username: Type.Optional(Type.String({ description: 'Name of the consumer, unique in the gateway.' })),
      custom_id: Type.Optional(Type.String({ description: 'Your own id of the consumer, unique in the gateway.' })),
      credentials: Type.Optional(
        Type.Array(Type.String(), {
          description: 'Names of Secrets in the same namespace, each labelled konghq.com/credential.',
          'x-kubernetes-list-type': 'set',
        }),
      ),
      consumerGroups: Type.Optional(
        Type.Array(Type.String(), {
          description: 'Names of KongConsumerGroup objects in the same namespace that the consumer is a member of.',
          'x-kubernetes-list-type': 'set',
        }),
      ),
      spec: Type.Optional(
        Type.Object(
          { tags: Type.Optional(tags), controlPlaneRef: Type.Optional(controlPlaneRef) },
          { additionalProperties: false, description: 'Further settings of the consumer.' },
        ),
      ),
      status: Type.Optional(Type.Unknown()),
    },
    { additionalProperties: false },
  ),
  rules: [
    {
      message: 'Need to provide either username or custom_id',
      field: 'username',
      cel: 'has(self.username) || has(self.custom_id)',
      holds: (consumer) => consumer.username !== undefined || consumer.custom_id !== undefined,
    },
    ...controlPlaneRefRules,
  ],
});

export type KongConsumer = ObjectOf<typeof kongConsumer>;
