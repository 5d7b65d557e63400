import Type from 'typebox';
import { defineKind, type ObjectOf } from './kind.ts';

const nullable = <T extends ReturnType<typeof Type.Boolean>>(schema: T) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/ */
export const endpointSlice = defineKind({
  kind: 'EndpointSlice',
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  scope: 'Namespaced',
  fields: Type.Object({
    addressType: Type.Union([Type.Literal('IPv4'), Type.Literal('IPv6'), Type.Literal('FQDN')]),
    endpoints: Type.Optional(
      Type.Union([
        Type.Array(
          Type.Object({
            addresses: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
            conditions: Type.Optional(
              Type.Object({
                ready: nullable(Type.Boolean()),
                serving: nullable(Type.Boolean()),
                terminating: nullable(Type.Boolean()),
              }),
            ),
          }),
        ),
        Type.Null(),
      ]),
    ),
    ports: Type.Optional(
      Type.Union([
        Type.Array(
          Type.Object({
            name: Type.Optional(Type.Union([Type.String(), Type.Null()])),
            port: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 65535 }), Type.Null()])),
            protocol: Type.Optional(Type.Union([Type.String(), Type.Null()])),
          }),
        ),
        Type.Null(),
      ]),
    ),
  }),
});

/** Label that names the Service a slice belongs to. */
export const serviceNameLabel = 'kubernetes.io/service-name';

export type EndpointSlice = ObjectOf<typeof endpointSlice>;
