import type { KubernetesObject } from '#resources/kind.ts';

/**
 * What the API server keeps of an object by itself; it is never written.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
 */
const givenMetadata = new Set([
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]);

/** `stringData` is taken in and never given back: left as it is, an apply would own what is not there. */
function withEncodedData(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { stringData, ...rest } = object;
  if (object['kind'] !== 'Secret' || typeof stringData !== 'object' || stringData === null) return { ...object };
  const encoded = Object.entries(stringData).map(([name, text]) => [
    name,
    Buffer.from(String(text)).toString('base64'),
  ]);
  return { ...rest, data: { ...(rest['data'] as object | undefined), ...Object.fromEntries(encoded) } };
}

/** The part of an object that its authors write, as plain JSON: no status, nothing that the API server gives. */
export function authored(object: KubernetesObject): KubernetesObject {
  const { status: _, ...rest } = object;
  const metadata = Object.fromEntries(Object.entries(object.metadata).filter(([name]) => !givenMetadata.has(name)));
  return JSON.parse(JSON.stringify(withEncodedData({ ...rest, metadata }))) as KubernetesObject;
}

/** An object as a reader sees it: who owns which field is for the API server alone. */
export function withoutManagedFields(object: KubernetesObject): KubernetesObject {
  const { managedFields: _, ...metadata } = object.metadata as KubernetesObject['metadata'] & {
    managedFields?: unknown;
  };
  return { ...object, metadata };
}
