import { collectionPath, objectPath } from '#resources/api-path.ts';
import { kindNamed } from '#resources/all-kinds.ts';
import { refOf, type KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import type { KubernetesApi } from '#source/kubernetes-api.ts';
import type { Manifest } from '../manifests.ts';
import { progress } from '../report.ts';

/** How many objects are created at once: as many connections, which stay open. */
const concurrency = 32;

/** Patches: https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply */
const contentType = 'application/merge-patch+json';

/** Writes of an administrator; each resolves with the API server's answer. */
export interface ApiWrites {
  create(object: Manifest): Promise<KubernetesObject>;
  patch(ref: Ref, patch: object): Promise<KubernetesObject>;
  remove(ref: Ref): Promise<void>;
  /** Creates all, many at once. Gives the milliseconds that it took. */
  createAll(objects: readonly Manifest[]): Promise<number>;
}

/** Does something for each, at most so many at once. */
export async function forEach<T>(
  items: readonly T[],
  atOnce: number,
  run: (item: T, index: number) => Promise<unknown>,
): Promise<void> {
  const left = items.entries();
  const runRest = async (): Promise<void> => {
    for (const [index, item] of left) await run(item, index);
  };
  await Promise.all(Array.from({ length: atOnce }, runRest));
}

export function apiWrites(api: KubernetesApi): ApiWrites {
  const create = async (object: Manifest): Promise<KubernetesObject> => {
    const kind = kindNamed(String(object['kind']));
    const { namespace } = refOf(kind, object as KubernetesObject);
    return api.request({ method: 'POST', path: collectionPath(kind, namespace), body: object });
  };
  return {
    create,
    patch: async (ref, patch) => api.request({ method: 'PATCH', path: objectPath(ref), body: patch, contentType }),
    remove: async (ref) => void (await api.request({ method: 'DELETE', path: objectPath(ref) })),
    async createAll(objects) {
      const startedAtMs = performance.now();
      await forEach(objects, concurrency, async (object, index) => {
        if (index > 0 && index % 5_000 === 0) progress(`${index} of ${objects.length} objects created`);
        await create(object);
      });
      return performance.now() - startedAtMs;
    },
  };
}
