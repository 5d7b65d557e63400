import { kindNamed } from '#resources/all-kinds.ts';
import { collectionPath } from '#resources/api-path.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import type { KubernetesConnection } from './kubernetes-api.ts';
import { createListWatch, type FollowState, type ListWatch } from './list-watch.ts';

export interface FollowObjectOptions {
  readonly api: KubernetesConnection;
  readonly ref: Ref;
  /** The object as it is now; undefined when there is none. Called when it changes. */
  changed(object: KubernetesObject | undefined): void;
  state(state: FollowState): void;
}

/**
 * Follows one object by its name, which may be in a namespace that is not read otherwise. It takes no more
 * than the right to get, list and watch this very name:
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
 */
export function followObject({ api, ref, changed, state }: FollowObjectOptions): ListWatch {
  return createListWatch({
    api,
    path: collectionPath(kindNamed(ref.kind), ref.namespace),
    selector: { fieldSelector: `metadata.name=${ref.name}` },
    changes: (changes) => {
      const last = changes.at(-1);
      changed(last?.type === 'put' ? last.object : undefined);
    },
    state,
  });
}
