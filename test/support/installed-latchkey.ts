/**
 * Latchkey as the chart ships it: `helm install` on the real API server, then the process with the arguments
 * of the Deployment and a token of its ServiceAccount, as the kubelet would start it. So flags, rights and
 * CRDs are tested as they are shipped.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chart, type Container, type Values } from './chart.ts';
import { commandsFor } from './cluster-context.ts';
import { kubeconfigFor, type ControlPlaneAccess } from './control-plane.ts';
import { imageNodeFlags } from './image-entrypoint.ts';
import { launchLatchkey, type LatchkeyProcess } from './latchkey-process.ts';
import { ownChild } from './owned-children.ts';

/** Where and how it is installed. */
export interface Installation {
  readonly access: ControlPlaneAccess;
  /** Namespace of the release, which is made if need be. */
  readonly namespace: string;
  readonly values?: Values;
}

export interface RunOptions {
  /** Name of the pod. */
  readonly pod?: string;
  /** More flags, after those of the Deployment. */
  readonly args?: readonly string[];
  readonly nodeFlags?: readonly string[];
  /** Finds the cluster as a pod does, by its environment and the files of its ServiceAccount; this takes root. */
  readonly inPod?: boolean;
}

interface PodTemplate {
  readonly spec: { readonly serviceAccountName: string; readonly containers: readonly [Container] };
}

/** Where a pod finds the files of its ServiceAccount. */
const accountFiles = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Runs a program where it alone has this folder in that place. */
const withAccountFiles = (folder: string): string[] => [
  'unshare',
  '--mount',
  'sh',
  '-c',
  // The folder is opened first, as it may be hidden by what is mounted.
  `exec 3<"$1"; mount -t tmpfs tmpfs /var/run && mkdir -p ${accountFiles} && mount --bind /proc/self/fd/3 ${accountFiles} && shift && exec "$@"`,
  'sh',
  folder,
];

/** What is installed and can be started. */
export interface InstalledLatchkey {
  /** Starts one replica; resolves when it has been launched, which is before it serves. */
  launch(options?: RunOptions): Promise<LatchkeyProcess>;
  /** Starts one replica and resolves when it serves. */
  start(options?: RunOptions): Promise<LatchkeyProcess>;
  /** Gives all replicas a new token, as the kubelet does before the old one expires. */
  rotateToken(): Promise<void>;
}

/** Installs the chart, as release `latchkey`. @throws Error with what helm says */
export async function installLatchkey({ access, namespace, values = {} }: Installation): Promise<InstalledLatchkey> {
  const { helm, kubectl } = commandsFor(access);
  const args = [
    'upgrade',
    '--install',
    'latchkey',
    chart,
    '--namespace',
    namespace,
    '--create-namespace',
    '--values',
    '-',
  ];
  await helm(args, JSON.stringify(values));
  const deployment = JSON.parse(await kubectl(['get', 'deployment', 'latchkey', '-n', namespace, '-o', 'json'])) as {
    readonly spec: { readonly template: PodTemplate };
  };
  const { serviceAccountName, containers } = deployment.spec.template.spec;
  const kubeconfig = join(dirname(access.kubeconfig), `${namespace}.kubeconfig`);

  const files = join(dirname(access.kubeconfig), `${namespace}-account`);
  await mkdir(files, { recursive: true });
  await writeFile(join(files, 'ca.crt'), access.ca);
  await writeFile(join(files, 'namespace'), namespace);

  const rotateToken = async (): Promise<void> => {
    const token = (await kubectl(['create', 'token', serviceAccountName, '-n', namespace])).trim();
    await writeFile(kubeconfig, kubeconfigFor(access.server, access.ca, token), { mode: 0o600 });
    await writeFile(join(files, 'next'), token, { mode: 0o600 });
    await rename(join(files, 'next'), join(files, 'token'));
  };
  await rotateToken();

  const { hostname, port } = new URL(access.server);
  const places = {
    outside: { flags: [`--kubeconfig=${kubeconfig}`], env: {}, wrapper: [] },
    inPod: {
      flags: [],
      env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
      wrapper: withAccountFiles(files),
    },
  };
  const stated = containers[0].env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]));

  const launch = async ({ pod = 'latchkey-0', args: more = [], nodeFlags = [], inPod }: RunOptions = {}) => {
    const fromChart = containers[0].args.filter((arg) => !/^--(?:proxy|https|admin|status)-listen=/.test(arg));
    const { flags, env, wrapper } = places[inPod === true ? 'inPod' : 'outside'];
    const all = { ...Object.fromEntries(stated), POD_NAME: pod, POD_NAMESPACE: namespace, ...env };
    const asShipped = [...imageNodeFlags(), ...nodeFlags];
    const asked = [...fromChart, ...flags, '--drain-delay-ms=0', ...more];
    const launched = await launchLatchkey(asked, asShipped, all, wrapper);
    ownChild(launched.child);
    return launched;
  };
  return {
    launch,
    async start(options) {
      const started = await launch(options);
      await started.printed('"msg":"serving"');
      return started;
    },
    rotateToken,
  };
}
