import { hostname } from 'node:os';
import type { StatusWriter } from '#pipeline.ts';
import { followObject } from '#source/follow-object.ts';
import { connectKubernetes, type KubernetesConnection } from '#source/kubernetes-api.ts';
import { createKubernetesWriter } from '#source/kubernetes-write.ts';
import { kubernetesSource } from '#source/kubernetes.ts';
import type { FollowState } from '#source/list-watch.ts';
import { createClusterStatus, type ClusterStatusOptions } from '#status/cluster-status.ts';
import type { Logger } from '#telemetry/log.ts';
import type { ClusterOptions, ServeOptions } from './options.ts';
import type { SourceSetup } from './source-setup.ts';
import { UsageError } from './usage-error.ts';

interface Cluster {
  readonly api: KubernetesConnection;
  readonly log: Logger;
  readonly options: ServeOptions & ClusterOptions;
}

async function connect(kubeconfig: string | undefined): Promise<KubernetesConnection> {
  return connectKubernetes(kubeconfig).catch((error: unknown) => {
    throw new UsageError(`--kubeconfig: ${(error as Error).message}`);
  });
}

/** One line when it goes otherwise with a kind than before: what happened and, if need be, what to do. */
function logHealth(log: Logger, name: string, state: FollowState): void {
  if (state.state === 'following') log.info({ kind: name }, `${name}: watched`);
  else if (state.state === 'not installed') {
    log.warn({ kind: name }, `${name}: its CustomResourceDefinition is not installed; it is picked up when it is`);
  } else log.warn({ kind: name }, `${name}: ${state.state}: ${state.message}`);
}

/** Namespace of the pod, or of the kubeconfig's context. */
const ownNamespace = ({ namespace }: KubernetesConnection): string =>
  process.env['POD_NAMESPACE'] ?? namespace ?? 'default';

/** What the status room needs of the flags, and the API server's own idea of where we are. */
function statusOptions({ api, options }: Cluster) {
  const { publishService: service, publishStatusAddress: addresses } = options;
  return {
    ingressClass: options.ingressClass,
    identity: process.env['POD_NAME'] ?? `${hostname()}-${process.pid}`,
    election: {
      id: options.electionId ?? `latchkey-leader-${options.ingressClass}`,
      namespace: options.electionNamespace ?? ownNamespace(api),
    },
    updateStatus: options.updateStatus,
    emitEvents: options.emitKubernetesEvents,
    publish: addresses.length > 0 ? { addresses } : service === undefined ? undefined : { service },
    qps: options.apiserverQps,
    burst: options.apiserverBurst,
  };
}

/**
 * What writes status in the cluster. Without permission to read the publish Service Ingresses get no address,
 * which is said in the log; all else works.
 */
function makeStatus(cluster: Cluster, objectOf: ClusterStatusOptions['objectOf']): StatusWriter {
  const { api, log } = cluster;
  const settings = statusOptions(cluster);
  const status = createClusterStatus({ ...settings, api, log, objectOf });
  const service =
    settings.publish !== undefined && 'service' in settings.publish ? settings.publish.service : undefined;
  const following =
    service === undefined
      ? undefined
      : followObject({
          api,
          ref: { kind: 'Service', ...service },
          changed: status.publishService,
          state: noteChanges((state) => logHealth(log, `publish service ${service.namespace}/${service.name}`, state)),
        });
  return {
    ...status,
    start() {
      following?.start();
      status.start();
    },
    async stop() {
      await status.stop();
      await following?.stop();
    },
  };
}

/** Passes on what differs from what was last. */
function noteChanges(tell: (state: FollowState) => void): (state: FollowState) => void {
  let last: FollowState['state'] | undefined;
  return (state) => {
    if (state.state !== last) tell(state);
    last = state.state;
  };
}

/**
 * A cluster, by a kubeconfig or from within.
 *
 * @throws UsageError when there is none
 */
export async function clusterSetup(options: ServeOptions & ClusterOptions, log: Logger): Promise<SourceSetup> {
  const api = await connect(options.kubeconfig);
  const source = kubernetesSource({
    api,
    namespaces: options.watchNamespace,
    onHealth: (name, state) => logHealth(log, name, state),
    writer: (observations) => createKubernetesWriter({ api, fieldManager: 'latchkey-admin', ...observations }),
  });
  return {
    flag: '--kubeconfig',
    isRemote: true,
    openSource: async () => source,
    makeStatus: (objectOf) => makeStatus({ api, log, options }, objectOf),
    problems: () => source.health().problems,
    adminWrites: false,
    adminNamespace: ownNamespace(api),
  };
}
