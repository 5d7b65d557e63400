import Type from 'typebox';
import { defineKind } from './kind.ts';

/** https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class */
export const ingressClass = defineKind({
  kind: 'IngressClass',
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'ingressclasses',
  scope: 'Cluster',
  fields: Type.Object({
    spec: Type.Optional(Type.Object({ controller: Type.Optional(Type.String()) })),
  }),
});
