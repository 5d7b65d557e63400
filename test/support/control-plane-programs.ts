/**
 * Where the programs of a real Kubernetes control plane come from, in this order: KUBEBUILDER_ASSETS, a
 * cache outside the repository, `go build` of test/cluster/go.mod into that cache.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const moduleDir = join(import.meta.dirname, '..', 'cluster');

/** A release is told its version when it is linked; kubectl and helm refuse to work with none. */
const linkerFlags = (version: string): string => {
  const [major = '', minor = ''] = version.replace('v', '').split('.');
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  const set = packages.flatMap((name) => Object.entries(values).map(([key, value]) => `-X ${name}.${key}=${value}`));
  return ['-s', '-w', ...set].join(' ');
};

async function kubernetesVersion(): Promise<string> {
  const found = /k8s\.io\/kubernetes (v[\d.]+)/.exec(await readFile(join(moduleDir, 'go.mod'), 'utf8'));
  if (found?.[1] === undefined) throw new Error('test/cluster/go.mod does not say which k8s.io/kubernetes');
  return found[1];
}

/** Paths of the programs. Helm and the controller manager are not in every archive of assets. */
export interface Programs {
  readonly etcd: string;
  readonly apiServer: string;
  readonly kubectl: string;
  readonly controllerManager: string;
  readonly helm: string;
}

/** Thrown when there is no way to get the programs here; the message says what to install. */
export class NoControlPlane extends Error {}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

const inFolder = (folder: string): Programs => ({
  etcd: join(folder, 'etcd'),
  apiServer: join(folder, 'kube-apiserver'),
  kubectl: join(folder, 'kubectl'),
  controllerManager: join(folder, 'kube-controller-manager'),
  helm: join(folder, 'helm'),
});

async function whole(programs: Programs): Promise<Programs | undefined> {
  const there = await Promise.all(Object.values(programs).map(exists));
  return there.every(Boolean) ? programs : undefined;
}

/** A folder for exactly these versions, so that a new go.mod is built and an old one found again. */
async function cacheFolder(): Promise<string> {
  const root =
    process.env['LATCHKEY_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'latchkey');
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'helm/go.mod']) hash.update(await readFile(join(moduleDir, file)));
  return join(root, 'control-plane', hash.digest('hex').slice(0, 16));
}

async function build(folder: string): Promise<void> {
  await run('go', ['version']).catch(() => {
    throw new NoControlPlane(
      'no Go to build them with: install Go, or set KUBEBUILDER_ASSETS to a folder that has them',
    );
  });
  process.stderr.write('building the test control plane (once, some minutes)\n');
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  try {
    const flags = ['-o', `${unfinished}/`, `-ldflags=${linkerFlags(await kubernetesVersion())}`];
    for (const cwd of [moduleDir, join(moduleDir, 'helm')]) {
      // One after the other: linking kube-apiserver takes gigabytes.
      await run('go', ['build', ...flags, 'tool'], { cwd, maxBuffer: 64 << 20 });
    }
    // The package of etcd's server is called server.
    await rename(join(unfinished, 'server'), join(unfinished, 'etcd'));
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/**
 * Finds or builds the programs.
 *
 * @throws NoControlPlane when that is not possible here
 */
export async function controlPlanePrograms(): Promise<Programs> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  if (assets !== undefined && assets !== '') {
    const given = await whole(inFolder(assets));
    if (given === undefined) {
      const wanted = Object.values(inFolder('')).join(', ');
      throw new NoControlPlane(`KUBEBUILDER_ASSETS=${assets} lacks one of ${wanted}`);
    }
    return given;
  }
  const folder = await cacheFolder();
  const cached = await whole(inFolder(folder));
  if (cached !== undefined) return cached;
  await build(folder);
  return inFolder(folder);
}
