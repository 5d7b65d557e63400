import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { ConnectionOptions } from 'node:tls';
import { fileURLToPath } from 'node:url';

/** What a kubeconfig comes to: where the API server is, and who we are there for now. */
export interface ReadKubeconfig {
  readonly server: string;
  readonly namespace: string | undefined;
  readonly tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'>;
  /** The headers that say who we are. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the process that reads it tells. */
export type KubeconfigAnswer = { readonly kubeconfig: ReadKubeconfig } | { readonly error: string };

const reader = fileURLToPath(new URL('./kubeconfig-reader.ts', import.meta.url));

/**
 * Reads a kubeconfig with the library, which knows every way to get a token (commands, OIDC, files). In a
 * process that then ends: the library takes 85 MB, and is needed for a moment.
 *
 * @throws Error when there is no such file, it cannot be read, or names no cluster
 */
export async function readKubeconfig(file: string): Promise<ReadKubeconfig> {
  // `advanced`, since certificates are bytes; no flags of ours, such as those of a profiler.
  const child = fork(reader, [file], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} cannot be read: the process that reads it ended with ${code}`);
  });
  const [answer] = (await Promise.race([once(child, 'message'), ended])) as [KubeconfigAnswer];
  if ('error' in answer) throw new Error(answer.error);
  return answer.kubeconfig;
}
