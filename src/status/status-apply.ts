import { objectPath } from '#resources/api-path.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import type { ApiRequest, KubernetesApi } from '#source/kubernetes-api.ts';
import { conditionIn, programmed, type Condition } from './conditions.ts';
import type { LatestObjects } from './latest-objects.ts';
import { cannotBeApplied } from './write-failure.ts';

/** The fields of a status that shall be ours. */
export interface StatusFields {
  readonly status: object;
  /** Whether fields that another field manager holds are taken from it; without, the answer is 409. */
  readonly force: boolean;
}

/** Whether nobody has said yet what has become of an object; Unknown is what the CRD fills in. */
const isUntold = ({ status }: KubernetesObject): boolean =>
  (conditionIn(status, programmed)?.status ?? 'Unknown') === 'Unknown';

/** The same fields as a merge patch, which replaces lists as a whole: conditions of others are in it as they are. */
function mergedOver(object: KubernetesObject, status: object): object {
  const { conditions } = status as { readonly conditions?: readonly Condition[] };
  if (conditions === undefined) return status;
  const there = (object['status'] as { readonly conditions?: readonly Condition[] } | undefined)?.conditions ?? [];
  const others = there.filter(({ type }) => conditionIn(status, type) === undefined);
  return { ...status, conditions: [...others, ...conditions] };
}

/**
 * Writes the status of objects by server-side apply: fields of others stay, and the API server tells who
 * they are. https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function createStatusApply(api: KubernetesApi, fieldManager: string, latest: LatestObjects) {
  const patch = async (ref: Ref, query: Record<string, string>, how: Pick<ApiRequest, 'body' | 'contentType'>) =>
    api.request<KubernetesObject>({ method: 'PATCH', path: `${objectPath(ref)}/status`, query, ...how });

  /** @throws ApiError */
  const apply = async (ref: Ref, object: KubernetesObject, { status, force }: StatusFields) => {
    const { apiVersion, kind, metadata } = object;
    const { name, namespace, resourceVersion } = metadata;
    // With its version, a status lands only on what it speaks of: not on a namesake that was created
    // meanwhile (the uid would be ignored here), nor over what somebody else said meanwhile.
    const body = { apiVersion, kind, metadata: { name, namespace, resourceVersion }, status };
    const query = { fieldManager, force: String(force) };
    return patch(ref, query, { body, contentType: 'application/apply-patch+yaml' });
  };

  /** @throws ApiError */
  const merge = async (ref: Ref, object: KubernetesObject, status: object) => {
    const { resourceVersion } = object.metadata;
    const body = { metadata: { resourceVersion }, status: mergedOver(object, status) };
    return patch(ref, { fieldManager }, { body, contentType: 'application/merge-patch+json' });
  };

  /** @throws ApiError */
  return async (ref: Ref, object: KubernetesObject, fields: StatusFields): Promise<void> => {
    try {
      latest.note(ref, await apply(ref, object, fields));
    } catch (error) {
      // Nobody knows any more who holds which field, so what somebody may have said is left alone.
      if (!cannotBeApplied(error) || !(fields.force || isUntold(object))) throw error;
      latest.note(ref, await merge(ref, object, fields.status));
    }
  };
}

export type StatusApply = ReturnType<typeof createStatusApply>;
