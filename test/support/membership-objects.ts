import type { KubernetesObject } from '#resources/kind.ts';

/** Builders of what plugins are attached to besides routes, and of what lets them be attached. */

/** The same object with names in `konghq.com/plugins`. */
export function naming(object: KubernetesObject, plugins: readonly string[]): KubernetesObject {
  if (plugins.length === 0) return object;
  const annotations = { ...object.metadata.annotations, 'konghq.com/plugins': plugins.join(', ') };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** The same consumer in these groups. */
export function inGroups(object: KubernetesObject, consumerGroups: readonly string[]): KubernetesObject {
  return consumerGroups.length === 0 ? object : { ...object, consumerGroups };
}

export function group(name: string, ingressClass: string): KubernetesObject {
  return {
    apiVersion: 'configuration.konghq.com/v1beta1',
    kind: 'KongConsumerGroup',
    metadata: { name, namespace: 'default', annotations: { 'kubernetes.io/ingress.class': ingressClass } },
  };
}

/** What lets objects of a kind in namespace `default` name a plugin of namespace `other`. */
export function grant(kind: string, name: string | undefined): KubernetesObject {
  const from = { group: kind === 'Ingress' ? 'networking.k8s.io' : 'configuration.konghq.com', kind };
  const to = { group: 'configuration.konghq.com', kind: 'KongPlugin', ...(name === undefined ? {} : { name }) };
  return {
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { name: kind.toLowerCase(), namespace: 'other' },
    spec: { from: [{ ...from, namespace: 'default' }], to: [to] },
  };
}

/** The same object in another namespace. */
export function inNamespace(object: KubernetesObject, namespace: string): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, namespace } };
}
