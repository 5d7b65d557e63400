/** The requests by which one object is read and written, each under one field manager. */
import { ApiError } from '#resources/api-error.ts';
import { objectPath } from '#resources/api-path.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import type { PatchOperation } from './apply-patch.ts';
import type { ApiRequest, KubernetesApi } from './kubernetes-api.ts';

/** That the API server cannot be reached is an answer like any other to whoever asked for a write. */
function unreachable(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ApiError(503, 'Unreachable', `the API server cannot be reached: ${message}`);
}

/** See the head of this file. */
export function createObjectRequests(api: KubernetesApi, fieldManager: string) {
  const send = async <T>(request: ApiRequest): Promise<T> => {
    try {
      return await api.request<T>(request);
    } catch (error) {
      throw unreachable(error);
    }
  };
  /** What a request gives, or undefined when there is no such object. */
  const orGone = async <T>(request: Promise<T>): Promise<T | undefined> => {
    try {
      return await request;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  };
  const patch = async (ref: Ref, request: Pick<ApiRequest, 'query' | 'contentType' | 'body'>) =>
    send<KubernetesObject>({ method: 'PATCH', path: objectPath(ref), ...request });

  return {
    /** @throws ApiError */
    async get(ref: Ref): Promise<KubernetesObject | undefined> {
      return orGone(send<KubernetesObject>({ method: 'GET', path: objectPath(ref) }));
    },

    /**
     * Server-side apply. It is forced: what we state is what somebody asked the Admin API for.
     *
     * @throws ApiError 409 when the stated version is not the present one
     */
    async apply(ref: Ref, body: KubernetesObject): Promise<KubernetesObject> {
      const query = { fieldManager, force: 'true' };
      return patch(ref, { query, contentType: 'application/apply-patch+yaml', body });
    },

    /**
     * @returns undefined when the object is gone
     * @throws ApiError 409 when the stated version is not the present one
     */
    async patch(ref: Ref, operations: readonly PatchOperation[]): Promise<KubernetesObject | undefined> {
      const request = { query: { fieldManager }, contentType: 'application/json-patch+json', body: operations };
      return orGone(patch(ref, request));
    },

    /**
     * Deletes an object as it was read; that it is gone already is as good.
     *
     * @throws ApiError 409 when it was changed or replaced meanwhile
     */
    async remove(ref: Ref, { metadata: { uid, resourceVersion } }: KubernetesObject): Promise<undefined> {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
      await orGone(send({ method: 'DELETE', path: objectPath(ref), body }));
      return undefined;
    },
  };
}

export type ObjectRequests = ReturnType<typeof createObjectRequests>;
