import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { StatusWriter } from '#pipeline.ts';
import { followObject } from '#source/follow-object.ts';
import { connectKubernetes, type KubernetesConnection } from '#source/kubernetes-api.ts';
import { createKubernetesWriter } from '#source/kubernetes-write.ts';
import { kubernetesSource } from '#source/kubernetes.ts';
import type { FollowState } from '#source/list-watch.ts';
import { createClusterStatus, type ClusterStatusOptions } from '#status/cluster-status.ts';
import type { Logger } from '#telemetry/log.ts';
import type { Metrics } from '#telemetry/metrics.ts';
import type { ClusterOptions, ServeOptions } from './options.ts';
import type { Telemetry } from './serve.ts';
import type { SourceSetup } from './source-setup.ts';
import { UsageError } from './usage-error.ts';

interface Cluster {
  readonly api: KubernetesConnection;
  readonly telemetry: Telemetry;
  readonly options: ServeOptions & ClusterOptions;
}

async function connect(kubeconfig: string | undefined, metrics: Metrics): Promise<KubernetesConnection> {
  const onAnswer = (method: string, status: number): void => metrics.apiRequests.inc({ method, code: String(status) });
  return connectKubernetes(kubeconfig, onAnswer).catch((error: unknown) => {
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

/** Where the Admin API makes objects: in our own namespace, or, where that is not read, in the first that is. */
function adminNamespaceOf({ api, options: { watchNamespace: watched } }: Pick<Cluster, 'api' | 'options'>): string {
  const own = ownNamespace(api);
  return watched.includes(own) ? own : (watched[0] ?? own);
}

const minuteMs = 60_000;

/** What the status room needs of the flags, and the API server's own idea of where we are. */
function statusOptions({ api, options }: Cluster) {
  const { publishService: service, publishStatusAddress: addresses } = options;
  return {
    ingressClass: options.ingressClass,
    // Two processes that took each other for themselves would both lead.
    identity: process.env['POD_NAME'] ?? `${hostname()}-${randomUUID().slice(0, 8)}`,
    election: {
      id: options.electionId ?? `latchkey-leader-${options.ingressClass}`,
      namespace: options.electionNamespace ?? ownNamespace(api),
    },
    updateStatus: options.updateStatus,
    emitEvents: options.emitKubernetesEvents,
    publish: addresses.length > 0 ? { addresses } : service === undefined ? undefined : { service },
    qps: options.apiserverQps,
    burst: options.apiserverBurst,
    ...(options.credentialLastUsed ? { lastUsed: { intervalMs: options.credentialLastUsedInterval * minuteMs } } : {}),
  };
}

/**
 * What writes status in the cluster. Without permission to read the publish Service Ingresses get no address,
 * which is said in the log; all else works.
 */
function makeStatus(cluster: Cluster, objectOf: ClusterStatusOptions['objectOf']): StatusWriter {
  const { api, telemetry } = cluster;
  const { log, metrics } = telemetry;
  const settings = statusOptions(cluster);
  const onLeading = (leads: boolean): void => metrics.leads.set({ name: settings.election.id }, leads ? 1 : 0);
  const status = createClusterStatus({ ...settings, api, log, objectOf, onLeading });
  metrics.leads.set({ name: settings.election.id }, 0);
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

/** A definition may be left out on purpose: then there is nothing to watch, and nothing wrong with watching. */
function noteHealth({ watchUp, installed }: Metrics, kind: string, { state }: FollowState): void {
  if (state === 'following' || state === 'not installed') installed.set({ kind }, state === 'following' ? 1 : 0);
  if (state === 'not installed') watchUp.remove({ kind });
  else watchUp.set({ kind }, state === 'following' ? 1 : 0);
}

/**
 * A cluster, by a kubeconfig or from within.
 *
 * @throws UsageError when there is none
 */
export async function clusterSetup(options: ServeOptions & ClusterOptions, telemetry: Telemetry): Promise<SourceSetup> {
  const { log, metrics } = telemetry;
  const api = await connect(options.kubeconfig, metrics);
  const source = kubernetesSource({
    api,
    namespaces: options.watchNamespace,
    onHealth: (name, state) => {
      noteHealth(metrics, name, state);
      logHealth(log, name, state);
    },
    writer: (observations) => createKubernetesWriter({ api, fieldManager: 'latchkey-admin', ...observations }),
  });
  return {
    flag: '--kubeconfig',
    isRemote: true,
    openSource: async () => source,
    makeStatus: (objectOf) => makeStatus({ api, telemetry, options }, objectOf),
    problems: () => source.health().problems,
    adminWrites: false,
    adminNamespace: adminNamespaceOf({ api, options }),
  };
}
