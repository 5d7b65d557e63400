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
}

export interface ServedCluster extends ReturnType<typeof commandsFor> {
  readonly controlPlane: ControlPlane;
  /** Objects over HTTP: quicker than kubectl. */
  readonly api: ReturnType<typeof objectApi>;
  readonly pods: Pods;
  readonly installed: InstalledLatchkey;
  /** Installs the chart once more, or anew; `stop` stops its replicas too. */
  install(namespace: string, values: Values): Promise<InstalledLatchkey>;
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
  const ends = new AsyncDisposableStack();
  try {
    return await serve(options, ends);
  } catch (error) {
    await ends.disposeAsync(); // no test will stop what it was not given
    throw error;
  }
}

/** What it starts is stopped with `ends`, the last first. */
async function serve({ values = {} }: ServedClusterOptions, ends: AsyncDisposableStack): Promise<ServedCluster> {
  const controlPlane = await startControlPlane();
  ends.defer(async () => controlPlane.stop());
  const { access } = controlPlane;
  const commands = commandsFor(access);
  const pods = await startPods(2);
  ends.defer(async () => pods.close());
  const api = objectApi(access);
  ends.defer(async () => api.close());
  const replicas: LatchkeyProcess[] = [];
  ends.defer(() => {
    for (const { child } of replicas) child.kill('SIGKILL');
  });

  const install = async (namespace: string, chartValues: Values): Promise<InstalledLatchkey> => {
    const release = await installLatchkey({ access, namespace, values: chartValues });
    const launch: InstalledLatchkey['launch'] = async (run) => {
      const replica = await release.launch(run);
      replicas.push(replica);
      return replica;
    };
    return {
      ...release,
      launch,
      async start(run) {
        const replica = await launch(run);
        await replica.printed('"msg":"serving"');
        return replica;
      },
    };
  };
  const installed = await install(releaseNamespace, values);
  await commands.apply(service, slice(pods.addresses, pods.port));
  const { launch, start } = installed;
  const stop = async (): Promise<void> => ends.disposeAsync();
  return { ...commands, controlPlane, api, pods, installed, install, launch, start, stop };
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
