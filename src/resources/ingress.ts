import Type from 'typebox';
import { defineKind, type ObjectOf } from './kind.ts';

const port = Type.Object({
  name: Type.Optional(Type.String({ minLength: 1 })),
  number: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535 })),
});

const backend = Type.Object({
  service: Type.Optional(Type.Object({ name: Type.String({ minLength: 1 }), port: Type.Optional(port) })),
  resource: Type.Optional(Type.Object({ kind: Type.String(), name: Type.String() })),
});

const path = Type.Object({
  path: Type.Optional(Type.String()),
  pathType: Type.Optional(
    Type.Union([Type.Literal('Exact'), Type.Literal('Prefix'), Type.Literal('ImplementationSpecific')]),
  ),
  backend,
});

const rule = Type.Object({
  host: Type.Optional(Type.String()),
  http: Type.Optional(Type.Object({ paths: Type.Array(path) })),
});

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/ingress-v1/ */
export const ingress = defineKind({
  kind: 'Ingress',
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'ingresses',
  scope: 'Namespaced',
  status: 'loadBalancer',
  adminVerbs: ['patch'],
  fields: Type.Object({
    spec: Type.Optional(
      Type.Object({
        ingressClassName: Type.Optional(Type.String()),
        defaultBackend: Type.Optional(backend),
        rules: Type.Optional(Type.Array(rule)),
        tls: Type.Optional(
          Type.Array(
            Type.Object({
              hosts: Type.Optional(Type.Array(Type.String())),
              secretName: Type.Optional(Type.String()),
            }),
          ),
        ),
      }),
    ),
  }),
});

export type Ingress = ObjectOf<typeof ingress>;
export type IngressBackend = NonNullable<NonNullable<Ingress['spec']>['defaultBackend']>;
