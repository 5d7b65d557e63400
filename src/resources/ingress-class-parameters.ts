import Type from 'typebox';
import { defineKind } from './kind.ts';

/** What an IngressClass points at with `spec.parameters` (kong-facts 4.1). It has no status. */
export const ingressClassParameters = defineKind({
  kind: 'IngressClassParameters',
  group: 'configuration.konghq.com',
  version: 'v1alpha1',
  plural: 'ingressclassparameterses',
  scope: 'Namespaced',
  crd: {
    description: 'Settings of an ingress class: an IngressClass names them in `spec.parameters`.',
    singular: 'ingressclassparameters',
    listKind: 'IngressClassParametersList',
    shortNames: [],
    categories: [],
    printerColumns: [],
  },
  fields: Type.Object(
    {
      spec: Type.Optional(
        Type.Object(
          {
            serviceUpstream: Type.Optional(
              Type.Boolean({
                description: 'Send requests to the Service instead of to its endpoints.',
                default: false,
              }),
            ),
            enableLegacyRegexDetection: Type.Optional(
              Type.Boolean({
                description:
                  'Take a path with characters that are rare in paths for a regular expression, as Kong 2 did.',
                default: false,
              }),
            ),
          },
          { additionalProperties: false, description: 'The settings.' },
        ),
      ),
    },
    { additionalProperties: false },
  ),
});
