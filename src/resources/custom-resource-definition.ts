import type { TObject } from 'typebox';
import type { CrdDetails, Kind } from './kind.ts';
import { statusSchema } from './status-schema.ts';
import { structural, type StructuralSchema } from './structural-schema.ts';

const ownFields: Readonly<Record<string, StructuralSchema>> = {
  apiVersion: {
    description: 'Version of the schema of the object. See https://kubernetes.io/docs/reference/using-api/',
    type: 'string',
  },
  kind: { description: 'Kind of the object.', type: 'string' },
  metadata: { type: 'object' },
};

/** The fields of a kind, without those that Kubernetes gives every object. */
export function fieldsOf(kind: Kind): StructuralSchema {
  const { properties, required } = kind.schema as TObject;
  const status = statusSchema(kind);
  const isOwn = (name: string): boolean => !(name in ownFields) && name !== 'status';
  const fields = Object.entries(properties).filter(([name]) => isOwn(name));
  return {
    properties: {
      ...Object.fromEntries(fields.map(([name, schema]) => [name, structural(schema)])),
      ...(status === undefined ? {} : { status }),
    },
    required: required.filter(isOwn),
  };
}

/** Each rule names its field, so that the API server's answer does too. */
function celRules(kind: Kind, { transitions = [] }: CrdDetails) {
  const stated = kind.rules.flatMap(({ message, field, cel }) => (cel === undefined ? [] : [{ message, field, cel }]));
  return [...stated, ...transitions].map(({ message, field, cel }) => ({ rule: cel, message, fieldPath: `.${field}` }));
}

function objectSchema(kind: Kind, crd: CrdDetails): StructuralSchema {
  const { properties, required = [] } = fieldsOf(kind);
  const rules = celRules(kind, crd);
  return {
    description: crd.description,
    type: 'object',
    properties: { ...ownFields, ...properties },
    ...(required.length === 0 ? {} : { required }),
    ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
  };
}

const unlessEmpty = (name: string, list: readonly unknown[]): object => (list.length === 0 ? {} : { [name]: list });

/** The CustomResourceDefinition of a kind, or undefined when Kubernetes itself brings the kind. */
export function customResourceDefinition(kind: Kind): object | undefined {
  const { crd } = kind;
  if (crd === undefined) return undefined;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${kind.plural}.${kind.group}`,
      ...(crd.labels === undefined ? {} : { labels: crd.labels }),
    },
    spec: {
      group: kind.group,
      names: {
        ...unlessEmpty('categories', crd.categories),
        kind: kind.kind,
        listKind: crd.listKind,
        plural: kind.plural,
        ...unlessEmpty('shortNames', crd.shortNames),
        singular: crd.singular,
      },
      scope: kind.scope,
      versions: [
        {
          name: kind.version,
          served: true,
          storage: true,
          ...unlessEmpty('additionalPrinterColumns', crd.printerColumns),
          schema: { openAPIV3Schema: objectSchema(kind, crd) },
          ...(kind.status === undefined ? {} : { subresources: { status: {} } }),
        },
      ],
    },
  };
}
