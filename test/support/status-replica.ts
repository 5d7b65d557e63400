/** A replica of the status room alone: follows real objects, is told verdicts by the test, writes to the API server. */
import { kindNamed } from '#resources/all-kinds.ts';
import { collectionPath } from '#resources/api-path.ts';
import { refOf, type Kind, type KubernetesObject } from '#resources/kind.ts';
import { refKey, type Ref } from '#resources/ref.ts';
import type { Problem, Verdict } from '#resources/verdict.ts';
import { connectKubernetes, type ApiRequest, type KubernetesApi } from '#source/kubernetes-api.ts';
import { createListWatch } from '#source/list-watch.ts';
import { slimObject } from '#source/slim-object.ts';
import { createClusterStatus, type ClusterStatusOptions } from '#status/cluster-status.ts';
import { conditionIn, programmed, type Condition } from '#status/conditions.ts';
import type { ControlPlaneAccess } from './control-plane.ts';
import { silent } from './silent.ts';
import { until } from './until.ts';

export interface ReplicaOptions extends Partial<Omit<ClusterStatusOptions, 'api' | 'election'>> {
  readonly access: ControlPlaneAccess;
  readonly namespace: string;
  /** Names of the kinds that are followed; those without a namespace in the whole cluster. */
  readonly kinds: readonly string[];
  /** Default `latchkey`. */
  readonly lease?: string;
  /** Changes the API as the replica has it. */
  readonly through?: (api: KubernetesApi) => KubernetesApi;
}

const isWrite = ({ method }: ApiRequest): boolean => method !== 'GET';
const isLease = ({ path }: ApiRequest): boolean => path.includes('/leases');

/** Starts a replica; it leads as soon as the Lease lets it. */
export async function startReplica(options: ReplicaOptions) {
  const { access, namespace, kinds, lease = 'latchkey', through = (api) => api, ...given } = options;
  const connection = await connectKubernetes(access.kubeconfig);
  const objects = new Map<string, KubernetesObject>();
  const listeners = new Set<() => void>();
  const requests: ApiRequest[] = [];
  const answered: ApiRequest[] = [];
  const refusals: string[] = [];
  const versions: KubernetesObject[] = [];
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const counted: KubernetesApi = {
    async request<T>(request: ApiRequest): Promise<T> {
      requests.push(request);
      try {
        return await connection.request<T>(request);
      } catch (error) {
        refusals.push(String(error));
        throw error;
      } finally {
        answered.push(request);
        tell();
      }
    },
  };
  const { log } = await silent();
  const status = createClusterStatus({
    log,
    ingressClass: 'kong',
    identity: 'replica',
    updateStatus: true,
    emitEvents: true,
    publish: undefined,
    qps: 100,
    burst: 300,
    settleMs: 0,
    timing: { renewMs: 200, lookMs: 100 },
    objectOf: (ref) => objects.get(refKey(ref)),
    ...given,
    api: through(counted),
    election: { id: lease, namespace },
  });

  const follow = (kind: Kind) =>
    createListWatch({
      api: connection,
      path: collectionPath(kind, kind.scope === 'Cluster' ? '' : namespace),
      selector: {},
      changes(changes) {
        const refs = changes.map(({ object }) => refOf(kind, object as KubernetesObject));
        for (const [index, change] of changes.entries()) {
          const key = refKey(refs[index] as Ref);
          if (change.type === 'put') {
            objects.set(key, slimObject(change.object));
            versions.push(change.object);
          } else objects.delete(key);
        }
        status.observed(refs);
        tell();
      },
      state: () => undefined,
    });
  const follows = kinds.map((kind) => follow(kindNamed(kind)));
  for (const one of follows) one.start();
  status.start();

  const subscribe = (check: () => void): (() => void) => {
    listeners.add(check);
    return () => listeners.delete(check);
  };
  const seen = async <T>(what: string, holds: () => T | undefined | false, deadlineMs = 60_000): Promise<T> =>
    until({ what, subscribe, holds, deadlineMs });
  const conditionOf = (ref: Ref, type = programmed): Condition | undefined =>
    conditionIn(objects.get(refKey(ref))?.['status'], type);

  return {
    status,
    seen,
    /** Its writes so far, those of the Lease apart. */
    writes: () => requests.filter((request) => isWrite(request) && !isLease(request)),
    /** Its requests that are over, whatever came of them. */
    answered: (): readonly ApiRequest[] => answered,
    /** How many requests it has made. */
    requests: () => requests.length,
    /** Its writes of the Lease so far. */
    renewals: () => requests.filter((request) => isWrite(request) && isLease(request)).length,
    /** What the API server answered other than what was asked for. */
    refusals: (): readonly string[] => refusals,
    /** Every version of the objects that the watch delivered, since what is wrong may be put right at once. */
    versions: (): readonly KubernetesObject[] => versions,
    object: (ref: Ref) => objects.get(refKey(ref)),
    condition: conditionOf,
    leads: async () => seen('the replica leads', () => status.isLeader),
    followed: async (ref: Ref) => seen(`${refKey(ref)} is followed`, () => objects.get(refKey(ref))),
    /** Says of an object, as it is followed, that it has these problems. */
    say(ref: Ref, ...problems: readonly Problem[]): void {
      const { generation } = objects.get(refKey(ref))?.metadata ?? {};
      status.report([{ ref, generation, problems } satisfies Verdict], []);
    },
    /** Waits for a condition that says this. */
    told: async (ref: Ref, wanted: Partial<Condition>) =>
      seen(`${refKey(ref)} says ${JSON.stringify(wanted)}`, () => {
        const condition = conditionOf(ref, wanted.type ?? programmed);
        if (condition === undefined) return undefined;
        const isSo = Object.entries(wanted).every(([field, value]) => condition[field as keyof Condition] === value);
        return isSo ? condition : undefined;
      }),
    /** Ends at once, as if the machine had been switched off: nothing is released. */
    async kill(): Promise<void> {
      await connection.close();
      await Promise.all(follows.map(async (one) => one.stop()));
    },
    async stop(): Promise<void> {
      await status.stop();
      await Promise.all(follows.map(async (one) => one.stop()));
      await connection.close();
    },
  };
}

export type Replica = Awaited<ReturnType<typeof startReplica>>;
