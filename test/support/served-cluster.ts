/** What a file of tests on the whole process needs: a control plane of its own, pods, Latchkey as the chart ships it. */
import { commandsFor } from './cluster-context.ts';
import { service, slice } from './cluster-objects.ts';
import type { Values } from './chart.ts';
import { startControlPlane, type ControlPlane } from './control-plane.ts';
import { objectApi } from './custom-resources.ts';
import { installLatchkey, type InstalledLatchkey, type RunOptions } from './installed-latchkey.ts';
import type { LatchkeyProcess } from './latchkey-process.ts';
import { startPods, type Pods } from './pods.ts';
import { untilFound } from './until-found.ts';
import type { Asked } from './until-status.ts';

export interface ServedClusterOptions {
  readonly values?: Values;
  /** Done before the chart is installed. */
  readonly before?: (controlPlane: ControlPlane) => Promise<void>;
}

export interface ServedCluster extends ReturnType<typeof commandsFor> {
  readonly controlPlane: ControlPlane;
  /** Objects over HTTP: quicker than kubectl. */
  readonly api: ReturnType<typeof objectApi>;
  readonly pods: Pods;
  readonly installed: InstalledLatchkey;
  /** Starts a replica that `stop` stops, and resolves when it serves. */
  start(options?: RunOptions): Promise<LatchkeyProcess>;
  /** Starts a replica that `stop` stops, whether it serves or not. */
  launch(options?: RunOptions): Promise<LatchkeyProcess>;
  stop(): Promise<void>;
}

/** Namespace of the release. */
export const releaseNamespace = 'latchkey';

/** Installs the chart on a control plane of its own, with the Service `echo` of two pods in `default`. */
export async function startServedCluster(options: ServedClusterOptions = {}): Promise<ServedCluster> {
  const controlPlane = await startControlPlane();
  const { access } = controlPlane;
  const commands = commandsFor(access);
  const pods = await startPods(2);
  await options.before?.(controlPlane);
  const { values = {} } = options;
  const installed = await installLatchkey({ access, namespace: releaseNamespace, values });
  const api = objectApi(access);
  const replicas: LatchkeyProcess[] = [];
  await commands.apply(service, slice(pods.addresses, pods.port));

  const note = (replica: LatchkeyProcess): LatchkeyProcess => {
    replicas.push(replica);
    return replica;
  };
  return {
    ...commands,
    controlPlane,
    api,
    pods,
    installed,
    launch: async (run) => note(await installed.launch(run)),
    async start(run) {
      const replica = note(await installed.launch(run));
      await replica.printed('"msg":"serving"');
      return replica;
    },
    async stop() {
      for (const { child } of replicas) child.kill('SIGKILL');
      await api.close();
      await pods.close();
      await controlPlane.stop();
    },
  };
}

/** Resolves when the leader in a namespace has renewed its Lease so often, two seconds apart: time enough for a write. */
export async function leaseRenewals({ kubectl }: ServedCluster, namespace: string, wanted: number): Promise<void> {
  const seen = new Set<string>();
  await untilFound(`${wanted} renewals in ${namespace}`, async () => {
    seen.add(await kubectl(['get', 'lease', '-n', namespace, '-o', 'jsonpath={.items[*].spec.renewTime}']));
    return seen.size > wanted || undefined;
  });
}

/** Gives what makes a request to a replica, without or with a key. */
export const askedOf =
  ({ proxyPort }: LatchkeyProcess) =>
  (path: string, key?: string): Asked => ({ port: proxyPort, path, ...(key === undefined ? {} : { key }) });
