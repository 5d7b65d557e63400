/**
 * A real Kubernetes control plane for tests: etcd, kube-apiserver with RBAC and real ServiceAccount
 * tokens, kube-controller-manager. No scheduler, no kubelet: pods do not run, and the tests write the
 * EndpointSlices themselves.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, fetch } from 'undici';
import { controlPlanePrograms, type Programs } from './control-plane-programs.ts';
import { freePort } from './free-port.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { ownChild } from './owned-children.ts';

/** What a test needs to use a control plane; plain data, so that it can be handed from process to process. */
export interface ControlPlaneAccess {
  /** `https://127.0.0.1:port` */
  readonly server: string;
  /** PEM of the API server's own CA. */
  readonly ca: string;
  /** Bearer token of a member of system:masters. */
  readonly token: string;
  /** Path of a kubeconfig with that token. */
  readonly kubeconfig: string;
  readonly programs: Programs;
}

export interface ControlPlane {
  readonly access: ControlPlaneAccess;
  /** Kills the API server and resolves when it is gone; etcd stays. */
  stopApiServer(): Promise<void>;
  /** Starts the API server again, on the same port. */
  startApiServer(): Promise<void>;
  /** Drops the history of etcd, so that older watches get 410 Gone. */
  compact(): Promise<void>;
  /** What the programs have printed, for when something goes wrong. */
  output(): string;
  stop(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** More flags of kube-apiserver. */
  readonly apiServerFlags?: readonly string[];
  /** Whether kube-controller-manager runs (namespaces that finish being deleted, garbage collection). Default true. */
  readonly withControllerManager?: boolean;
}

const startDeadlineMs = 60_000;
const pollMs = 50;

interface Program {
  readonly child: ChildProcess;
  output(): string;
  kill(): Promise<void>;
}

function startProgram(path: string, args: readonly string[]): Program {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  ownChild(child);
  let text = '';
  const note = (chunk: Buffer): void => void (text = `${text}${chunk.toString('utf8')}`.slice(-64 * 1024));
  child.stdout.on('data', note);
  child.stderr.on('data', note);
  const gone = once(child, 'exit');
  gone.catch((error: unknown) => note(Buffer.from(String(error))));
  return {
    child,
    output: () => text,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Asks until the answer is good, or the program it comes from has ended. */
async function untilHealthy(url: string, program: Program, dispatcher?: Agent): Promise<void> {
  const deadline = Date.now() + startDeadlineMs;
  for (;;) {
    if (program.child.exitCode !== null) throw new Error(`${program.child.spawnfile} ended:\n${program.output()}`);
    const isGood = await fetch(url, dispatcher === undefined ? {} : { dispatcher })
      .then(async (response) => {
        await response.text();
        return response.ok;
      })
      .catch(() => false);
    if (isGood) return;
    if (Date.now() > deadline) throw new Error(`${url} is not healthy:\n${program.output()}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

export const kubeconfigFor = (server: string, ca: string, token: string): string =>
  kubeconfigText({ server, 'certificate-authority-data': Buffer.from(ca).toString('base64') }, { token });

async function writeServiceAccountKeys(dir: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(join(dir, 'sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(join(dir, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
}

interface Ports {
  readonly etcd: number;
  readonly peer: number;
  readonly api: number;
}

const etcdFlags = (dir: string, ports: Ports): string[] => [
  `--data-dir=${join(dir, 'etcd')}`,
  `--listen-client-urls=http://127.0.0.1:${ports.etcd}`,
  `--advertise-client-urls=http://127.0.0.1:${ports.etcd}`,
  `--listen-peer-urls=http://127.0.0.1:${ports.peer}`,
  `--initial-advertise-peer-urls=http://127.0.0.1:${ports.peer}`,
  `--initial-cluster=default=http://127.0.0.1:${ports.peer}`,
  '--unsafe-no-fsync', // the data need not survive this machine
  '--log-level=warn',
];

const apiServerFlags = (dir: string, ports: Ports): string[] => [
  `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
  `--secure-port=${ports.api}`,
  '--bind-address=127.0.0.1',
  '--advertise-address=127.0.0.1',
  `--cert-dir=${join(dir, 'certs')}`,
  `--token-auth-file=${join(dir, 'tokens.csv')}`,
  '--authorization-mode=RBAC',
  '--service-account-issuer=https://kubernetes.default.svc',
  `--service-account-key-file=${join(dir, 'sa.pub')}`,
  `--service-account-signing-key-file=${join(dir, 'sa.key')}`,
  '--service-cluster-ip-range=10.96.0.0/16',
];

const controllerManagerFlags = (dir: string): string[] => [
  `--kubeconfig=${join(dir, 'kubeconfig')}`,
  '--controllers=namespace-controller,serviceaccount-controller,garbage-collector-controller,root-ca-certificate-publisher-controller',
  `--service-account-private-key-file=${join(dir, 'sa.key')}`,
  `--cert-dir=${join(dir, 'manager-certs')}`,
  '--secure-port=0',
  '--leader-elect=false',
];

async function compactEtcd(port: number): Promise<void> {
  const call = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };
  const { header } = (await call('/v3/kv/range', { key: Buffer.from('x').toString('base64') })) as {
    header: { revision: string };
  };
  await call('/v3/kv/compaction', { revision: header.revision, physical: true });
}

/**
 * Starts a control plane of its own, in about three seconds. Tests that neither break it nor change
 * cluster-wide objects share the one that `controlPlane()` of cluster-context.ts gives.
 *
 * @throws NoControlPlane when the programs cannot be had here
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const programs = await controlPlanePrograms();
  const dir = await mkdtemp(join(tmpdir(), 'latchkey-control-plane-'));
  const ports: Ports = { etcd: await freePort(), peer: await freePort(), api: await freePort() };
  const token = randomBytes(16).toString('hex');
  await mkdir(join(dir, 'certs'));
  await writeServiceAccountKeys(dir);
  await writeFile(join(dir, 'tokens.csv'), `${token},admin,admin,system:masters\n`, { mode: 0o600 });

  const etcd = startProgram(programs.etcd, etcdFlags(dir, ports));
  await untilHealthy(`http://127.0.0.1:${ports.etcd}/health`, etcd);

  const server = `https://127.0.0.1:${ports.api}`;
  const trusting = new Agent({ connect: { rejectUnauthorized: false } });
  const startApiServer = async (): Promise<Program> => {
    const started = startProgram(programs.apiServer, [
      ...apiServerFlags(dir, ports),
      ...(options.apiServerFlags ?? []),
    ]);
    await untilHealthy(`${server}/readyz`, started, trusting);
    return started;
  };
  let apiServer = await startApiServer();
  const ca = await readFile(join(dir, 'certs', 'apiserver.crt'), 'utf8');
  const kubeconfig = join(dir, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigFor(server, ca, token), { mode: 0o600 });
  const manager =
    options.withControllerManager === false
      ? undefined
      : startProgram(programs.controllerManager, controllerManagerFlags(dir));

  return {
    access: { server, ca, token, kubeconfig, programs },
    stopApiServer: async () => apiServer.kill(),
    async startApiServer() {
      apiServer = await startApiServer();
    },
    compact: async () => compactEtcd(ports.etcd),
    output: () => [etcd, apiServer, manager].map((program) => program?.output() ?? '').join('\n'),
    async stop() {
      await Promise.all([manager?.kill(), apiServer.kill()]);
      await etcd.kill();
      await trusting.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
