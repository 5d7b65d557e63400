import Type from 'typebox';
import { defineKind, type ObjectOf } from './kind.ts';

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/ */
export const service = defineKind({
  kind: 'Service',
  group: '',
  version: 'v1',
  plural: 'services',
  scope: 'Namespaced',
  fields: Type.Object({
    spec: Type.Optional(
      Type.Object({
        type: Type.Optional(Type.String()),
        clusterIP: Type.Optional(Type.String()),
        externalName: Type.Optional(Type.String()),
        ports: Type.Optional(
          Type.Array(
            Type.Object({
              name: Type.Optional(Type.String()),
              port: Type.Integer({ minimum: 1, maximum: 65535 }),
              targetPort: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 65535 }), Type.String()])),
              protocol: Type.Optional(Type.String()),
            }),
          ),
        ),
      }),
    ),
  }),
});

export type Service = ObjectOf<typeof service>;
export type ServicePort = NonNullable<NonNullable<Service['spec']>['ports']>[number];
