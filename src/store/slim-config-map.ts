import { caFields, isLabelled } from '#resources/config-map.ts';
import type { KubernetesObject } from '#resources/kind.ts';

const asFields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/**
 * A ConfigMap without what nothing of ours reads: a cluster has many, and large ones. Of one that is labelled
 * for us the certificate stays, of others the metadata.
 */
export function slimConfigMap(object: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata } = object;
  const { annotations: _, ...kept } = metadata;
  if (!isLabelled(asFields(metadata.labels) as Record<string, string>)) return { apiVersion, kind, metadata: kept };
  const data = asFields(object['data']);
  const fields = caFields.filter((field) => Object.hasOwn(data, field)).map((field) => [field, data[field]] as const);
  return { apiVersion, kind, metadata: kept, data: Object.fromEntries(fields) };
}
