/**
 * Latchkey as the chart ships it: `helm install` on a real API server, then the process with the arguments of
 * the Deployment and a token of its ServiceAccount, as the kubelet would start it.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubernetesApi } from '#source/kubernetes-api.ts';
import { kubeconfigFor, type ControlPlaneAccess } from '../../test/support/control-plane.ts';
import { imageNodeFlags } from '../../test/support/image-entrypoint.ts';
import { untilAnswers } from '../ask.ts';
import { freePort } from '../../test/support/free-port.ts';
import { runProcess, startProcess, type Running } from '../process.ts';
import { scratchDirectory } from '../scratch.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const compileCache = join(checkout, 'node_modules', '.cache', 'latchkey');
const namespace = 'latchkey';
const readyDeadlineMs = 120_000;
/** A bench at all sizes takes longer than the hour that a token lives by default. */
const tokenSeconds = 86_400;

/** One replica that was started. */
export interface Replica extends Running {
  readonly origin: string;
  /** From the start of the process until /readyz answered 200. */
  readonly readyMs: number;
}

export interface StartOptions {
  /** More flags, after those of the Deployment. */
  readonly args?: readonly string[];
  /** Flags of Node, such as --cpu-prof. */
  readonly nodeFlags?: readonly string[];
}

export interface Installation {
  /** Starts the one replica and resolves when it is ready. */
  start(options?: StartOptions): Promise<Replica>;
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName: string;
        readonly containers: readonly [{ readonly args: readonly string[] }];
      };
    };
  };
}

/** A kubeconfig of the chart's ServiceAccount. */
async function writeKubeconfig(api: KubernetesApi, access: ControlPlaneAccess, account: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const body = { spec: { expirationSeconds: tokenSeconds } };
  const { status } = await api.request<{ status: { token: string } }>({ method: 'POST', path, body });
  const file = join(scratchDirectory(), 'kubeconfig');
  await writeFile(file, kubeconfigFor(access.server, access.ca, status.token), { mode: 0o600 });
  return file;
}

async function startReplica(flags: readonly string[], nodeFlags: readonly string[]): Promise<Replica> {
  const [proxy, status] = [await freePort(), await freePort()];
  const listen = [
    `--proxy-listen=127.0.0.1:${proxy}`,
    `--status-listen=127.0.0.1:${status}`,
    '--https-listen=off',
    '--admin-listen=off',
  ];
  const env = { ...process.env, POD_NAME: 'latchkey-0', POD_NAMESPACE: namespace, NODE_COMPILE_CACHE: compileCache };
  const command = [process.execPath, ...imageNodeFlags(), ...nodeFlags, 'src/main.ts', ...flags, ...listen];
  const startedAtMs = performance.now();
  const running = startProcess(command, { cwd: checkout, env });
  await untilAnswers(running, {
    url: `http://127.0.0.1:${status}/readyz`,
    everyMs: 10,
    deadlineMs: readyDeadlineMs,
  });
  return { ...running, origin: `http://127.0.0.1:${proxy}`, readyMs: performance.now() - startedAtMs };
}

/** Installs the chart with its defaults. @throws Error with what helm says */
export async function installChart(api: KubernetesApi, access: ControlPlaneAccess): Promise<Installation> {
  const { kubeconfig, programs } = access;
  const place = ['--namespace', namespace, '--create-namespace', '--kubeconfig', kubeconfig];
  await runProcess([programs.helm, 'install', 'latchkey', join(checkout, 'charts/latchkey'), ...place]);
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/latchkey`;
  const { spec } = await api.request<Deployment>({ method: 'GET', path });
  const { serviceAccountName, containers } = spec.template.spec;
  const own = await writeKubeconfig(api, access, serviceAccountName);
  return {
    async start({ args = [], nodeFlags = [] } = {}) {
      return startReplica([...containers[0].args, `--kubeconfig=${own}`, '--drain-delay-ms=0', ...args], nodeFlags);
    },
  };
}
