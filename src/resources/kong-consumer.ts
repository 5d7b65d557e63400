import Type from 'typebox';
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
  fields: Type.Object(
    {
      username: Type.Optional(Type.String({ description: 'Name of the consumer, unique in the gateway.' })),
      custom_id: Type.Optional(Type.String({ description: 'Your own id of the consumer, unique in the gateway.' })),
      credentials: Type.Optional(
        Type.Array(Type.String(), {
          description: 'Names of Secrets in the same namespace, each labelled konghq.com/credential.',
        }),
      ),
      consumerGroups: Type.Optional(Type.Array(Type.String())),
      spec: Type.Optional(
        Type.Object({
          tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 20 })),
        }),
      ),
      status: Type.Optional(Type.Unknown()),
    },
    { additionalProperties: false },
  ),
  rules: [
    {
      message: 'Need to provide either username or custom_id',
      field: 'username',
      holds: (consumer) => consumer.username !== undefined || consumer.custom_id !== undefined,
    },
  ],
});

export type KongConsumer = ObjectOf<typeof kongConsumer>;
