import Type from 'typebox';
import { defineKind, type ObjectOf } from './kind.ts';

/** https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class */
export const ingressClass = defineKind({
  kind: 'IngressClass',
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'ingressclasses',
  scope: 'Cluster',
  fields: Type.Object({
    spec: Type.Optional(
      Type.Object({
        controller: Type.Optional(Type.String()),
        parameters: Type.Optional(
          Type.Object({
            apiGroup: Type.Optional(Type.String()),
            kind: Type.Optional(Type.String()),
            scope: Type.Optional(Type.String()),
            namespace: Type.Optional(Type.String()),
            name: Type.Optional(Type.String()),
          }),
        ),
      }),
    ),
  }),
});

export type IngressClass = ObjectOf<typeof ingressClass>;
