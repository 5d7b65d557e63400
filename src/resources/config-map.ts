import Type from 'typebox';
import { defineKind, type KubernetesObject } from './kind.ts';
import { caLabel } from './secret.ts';

/** The other label that Kong's controller takes a ConfigMap by (kong-facts 4.5). */
const configMapLabel = 'konghq.com/configmap';

/** The fields that hold the certificate of a CA, under either of the names that Kong takes (kong-facts 4.5). */
export const caFields = ['ca.crt', 'cert'] as const;

/** https://kubernetes.io/docs/concepts/configuration/configmap/; read for the certificates of CAs alone. */
export const configMap = defineKind({
  kind: 'ConfigMap',
  group: '',
  version: 'v1',
  plural: 'configmaps',
  scope: 'Namespaced',
  fields: Type.Object({
    data: Type.Optional(Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()])),
  }),
});

/** Whether a ConfigMap is meant for us. */
export function isLabelled(labels: KubernetesObject['metadata']['labels']): boolean {
  return labels?.[caLabel] === 'true' || labels?.[configMapLabel] === 'true';
}
