import { connectKubernetes, type KubernetesConnection } from '#source/kubernetes-api.ts';
import { startControlPlane } from '../../test/support/control-plane.ts';
import { startPods, type Pods } from '../../test/support/pods.ts';
import { progress } from '../report.ts';
import { apiWrites, type ApiWrites } from './api-writes.ts';
import { installChart, type Installation } from './installation.ts';

/** A cluster with the chart installed and pods to forward to, and an administrator's connection to it. */
export interface Stage {
  readonly api: KubernetesConnection;
  readonly writes: ApiWrites;
  readonly installation: Installation;
  readonly pods: Pods;
}

const podCount = 4;

/** Sets a stage up, hands it over, and takes it down again whatever happens. */
export async function onStage<T>(run: (stage: Stage) => Promise<T>): Promise<T> {
  progress('starting a control plane');
  const controlPlane = await startControlPlane();
  const pods = await startPods(podCount).catch(async (error: unknown) => {
    await controlPlane.stop();
    throw error;
  });
  const api = await connectKubernetes(controlPlane.access.kubeconfig);
  try {
    const installation = await installChart(api, controlPlane.access);
    return await run({ api, writes: apiWrites(api), installation, pods });
  } finally {
    await api.close();
    await pods.close();
    await controlPlane.stop();
  }
}
