import { objectPath } from '#resources/api-path.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import type { KubernetesApi } from '#source/kubernetes-api.ts';
import type { LatestObjects } from './latest-objects.ts';

/** The fields of a status that shall be ours. */
export interface StatusFields {
  readonly status: object;
  /** Whether fields that another field manager holds are taken from it; without, the answer is 409. */
  readonly force: boolean;
}

/**
 * Writes the status of objects by server-side apply: fields of others stay, and the API server tells who
 * they are. https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function createStatusApply(api: KubernetesApi, fieldManager: string, latest: LatestObjects) {
  /** @throws ApiError */
  return async (ref: Ref, object: KubernetesObject, { status, force }: StatusFields): Promise<void> => {
    const { apiVersion, kind, metadata } = object;
    const { name, namespace, resourceVersion } = metadata;
    const written = await api.request<KubernetesObject>({
      method: 'PATCH',
      path: `${objectPath(ref)}/status`,
      query: { fieldManager, force: String(force) },
      // With its version, a status lands only on what it speaks of: not on a namesake that was created
      // meanwhile (the uid would be ignored here), nor over what somebody else said meanwhile.
      body: { apiVersion, kind, metadata: { name, namespace, resourceVersion }, status },
      contentType: 'application/apply-patch+yaml',
    });
    latest.note(ref, written);
  };
}

export type StatusApply = ReturnType<typeof createStatusApply>;
