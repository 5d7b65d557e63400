import { connectKubernetes, type KubernetesConnection } from '#source/kubernetes-api.ts';
import { kubernetesSource } from '#source/kubernetes.ts';
import type { FollowState } from '#source/list-watch.ts';
import type { Logger } from '#telemetry/log.ts';
import type { ClusterOptions, ServeOptions } from './options.ts';
import type { SourceSetup } from './source-setup.ts';
import { UsageError } from './usage-error.ts';

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
  });
  return {
    flag: '--kubeconfig',
    isRemote: true,
    openSource: async () => source,
    problems: () => source.health().problems,
    adminWrites: false,
  };
}
