import type { KubernetesObject } from '#resources/kind.ts';

/** kubectl's copy of the whole object: https://kubernetes.io/docs/reference/labels-annotations-taints/ */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** An object without what only whoever writes it needs, which may be more than half of it. */
export function slimObject(object: KubernetesObject): KubernetesObject {
  const {
    managedFields: _,
    annotations,
    ...metadata
  } = object.metadata as KubernetesObject['metadata'] & {
    readonly managedFields?: unknown;
  };
  if (annotations === undefined || annotations === null) return { ...object, metadata };
  const { [lastApplied]: __, ...kept } = annotations;
  return { ...object, metadata: { ...metadata, annotations: kept } };
}
