import { ApiError } from '#resources/api-error.ts';
import type { KubernetesApi } from '#source/kubernetes-api.ts';
import { microTime } from './events.ts';

export interface LeaseOptions {
  readonly api: KubernetesApi;
  readonly id: string;
  readonly namespace: string;
  /** Who we are; no other replica may have the same. */
  readonly identity: string;
  /** How long it holds without being renewed, in milliseconds. */
  readonly leaseMs: number;
  /** Longest time for one request, in milliseconds: one that hangs must not cost the Lease. */
  readonly requestMs: number;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
interface LeaseObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

const hasStatus = (error: unknown, status: number): boolean => error instanceof ApiError && error.status === status;

/**
 * A Lease that one of several may hold. Whether somebody else's has run out is judged by our own clock
 * alone: so long since we saw it change. The clocks of machines may differ as they like.
 * https://kubernetes.io/docs/concepts/architecture/leases/
 */
export function createLease({ api, id, namespace, identity, leaseMs, requestMs }: LeaseOptions) {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  const path = `${collection}/${encodeURIComponent(id)}`;
  /** The Lease as we saw it, and when it was first seen so. */
  let seen: { readonly lease: LeaseObject; readonly atMs: number } | undefined;
  let renewedAtMs = Number.NEGATIVE_INFINITY;

  const note = (lease: LeaseObject): LeaseObject => {
    const isSame = seen?.lease.metadata.resourceVersion === lease.metadata.resourceVersion;
    if (!isSame) seen = { lease, atMs: performance.now() };
    return lease;
  };

  const isOurs = (lease: LeaseObject | undefined): boolean => lease?.spec?.holderIdentity === identity;

  const isFree = (lease: LeaseObject): boolean => {
    if ((lease.spec?.holderIdentity ?? '') === '') return true;
    const durationMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
    return seen !== undefined && performance.now() >= seen.atMs + durationMs;
  };

  const ourRecord = (before: LeaseObject | undefined): LeaseObject => {
    const now = microTime(new Date());
    const { acquireTime = now, leaseTransitions = 0 } = before?.spec ?? {};
    const isTakeover = before !== undefined && !isOurs(before);
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: before?.metadata ?? { name: id },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(leaseMs / 1000),
        acquireTime: isTakeover ? now : acquireTime,
        renewTime: now,
        leaseTransitions: isTakeover ? leaseTransitions + 1 : leaseTransitions,
      },
    };
  };

  const put = async (lease: LeaseObject): Promise<LeaseObject> =>
    note(await api.request<LeaseObject>({ method: 'PUT', path, body: lease, signal: AbortSignal.timeout(requestMs) }));

  const look = async (): Promise<LeaseObject | undefined> => {
    try {
      return note(await api.request<LeaseObject>({ method: 'GET', path, signal: AbortSignal.timeout(requestMs) }));
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
      seen = undefined;
      return undefined;
    }
  };

  /** Writes our record; what somebody else wrote meanwhile is not overwritten (409). */
  const write = async (before: LeaseObject | undefined): Promise<void> => {
    const sentAtMs = performance.now();
    const body = ourRecord(before);
    if (before === undefined) {
      note(await api.request({ method: 'POST', path: collection, body, signal: AbortSignal.timeout(requestMs) }));
    } else await put(body);
    renewedAtMs = sentAtMs;
  };

  return {
    /** When the request was sent that made or kept it ours, by `performance.now()`. */
    get renewedAtMs(): number {
      return renewedAtMs;
    },

    /**
     * Gets or keeps the Lease; whether we have it.
     *
     * @throws ApiError, Error when the API server does not say
     */
    async claim(): Promise<boolean> {
      // A holder knows the Lease as it wrote it: keeping it takes one request.
      const before = isOurs(seen?.lease) ? seen?.lease : await look();
      if (before !== undefined && !isOurs(before) && !isFree(before)) return false;
      try {
        await write(before);
        return true;
      } catch (error) {
        if (!hasStatus(error, 409) && !hasStatus(error, 404)) throw error;
        const lease = await look();
        if (lease !== undefined && !isOurs(lease)) return false;
        // Deleted; or an earlier request of ours went through although we heard nothing of it.
        await write(lease);
        return true;
      }
    },

    /** Leaves the Lease without a holder, so that the next need not wait for it to run out. */
    async release(): Promise<void> {
      if (seen === undefined || !isOurs(seen.lease)) return;
      const { lease } = seen;
      const renewTime = microTime(new Date());
      await put({ ...lease, spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime } });
    },
  };
}
