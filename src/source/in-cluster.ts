import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a pod finds its ServiceAccount: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet replaces a token when a fifth of its life, at least ten minutes, is left. */
const tokenAgeMs = 60_000;

/** Whether this process runs in a pod that may talk to its cluster. */
export const isInCluster = (): boolean =>
  process.env['KUBERNETES_SERVICE_HOST'] !== undefined && existsSync(join(folder, 'token'));

const read = async (name: string): Promise<string> => readFile(join(folder, name), 'utf8');

/**
 * The API server and the ServiceAccount of the pod that this process runs in.
 *
 * @throws Error when the files cannot be read
 */
export async function readInCluster() {
  const host = process.env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = process.env['KUBERNETES_SERVICE_PORT'] ?? '443';
  let token = (await read('token')).trim();
  let readAtMs = Date.now();
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: await read('ca.crt'),
    namespace: (await read('namespace')).trim(),
    /** The token as it is by now. */
    async token(): Promise<string> {
      if (Date.now() - readAtMs > tokenAgeMs) {
        readAtMs = Date.now();
        token = (await read('token')).trim();
      }
      return token;
    },
  };
}
