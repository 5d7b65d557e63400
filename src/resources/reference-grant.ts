import Type from 'typebox';
import { defineKind } from './kind.ts';

/**
 * https://gateway-api.sigs.k8s.io/api-types/referencegrant/: what objects of other namespaces may refer to in
 * this one. A cluster without the Gateway API does not have the kind; nothing is granted there.
 */
export const referenceGrant = defineKind({
  kind: 'ReferenceGrant',
  group: 'gateway.networking.k8s.io',
  version: 'v1beta1',
  plural: 'referencegrants',
  scope: 'Namespaced',
  isOptional: true,
  fields: Type.Object({
    spec: Type.Object({
      from: Type.Array(Type.Object({ group: Type.String(), kind: Type.String(), namespace: Type.String() })),
      to: Type.Array(Type.Object({ group: Type.String(), kind: Type.String(), name: Type.Optional(Type.String()) })),
    }),
  }),
});
