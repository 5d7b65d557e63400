/** A process that reads a kubeconfig, tells its parent what it comes to, and ends. See `kubeconfig.ts`. */
import type { RequestOptions } from 'node:https';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { KubeconfigAnswer, ReadKubeconfig } from './kubeconfig.ts';

enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/latchkey', import.meta.url)));
const { KubeConfig } = await import('@kubernetes/client-node');

async function read(file: string): Promise<ReadKubeconfig> {
  const config = new KubeConfig();
  config.loadFromFile(file);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`${file} names no cluster in its current context`);
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, passphrase, servername, rejectUnauthorized, headers, auth } = options;
  const basic = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  return {
    server: cluster.server,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    tls: { ca, cert, key, passphrase, servername, rejectUnauthorized },
    headers: { ...(headers as Record<string, string> | undefined), ...basic },
  };
}

const answer = await read(process.argv[2] ?? '').then(
  (kubeconfig): KubeconfigAnswer => ({ kubeconfig }),
  (error: unknown): KubeconfigAnswer => ({ error: (error as Error).message }),
);
process.send?.(answer);
process.disconnect?.();
