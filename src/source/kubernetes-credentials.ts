/**
 * Where the API server is and who we are there: a kubeconfig, or the ServiceAccount of the pod. Connections are
 * ours, since the library's own make a new one for every call.
 */
import type { ConnectionOptions } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import { readInCluster } from './in-cluster.ts';
import { readKubeconfig } from './kubeconfig.ts';

/** After this long without a byte a connection is probed by TCP; a dead peer is noticed 10 s later. */
const keepAliveDelayMs = 5000;
const connectTimeoutMs = 5000;

/** An identity that can be used now; made anew when the API server no longer takes it. */
export interface Credentials {
  readonly server: string;
  /** Namespace of the pod, or of the kubeconfig's context. */
  readonly namespace: string | undefined;
  readonly dispatcher: Dispatcher;
  /** The headers that say who we are. */
  authorization(): Promise<Readonly<Record<string, string>>>;
}

function connectionsWith(tls: ConnectionOptions): Agent {
  return new Agent({
    // One stream a connection: a stalled connection is then one stalled watch, and can be told by its silence.
    allowH2: false,
    connect: {
      ...Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
      timeout: connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveDelayMs,
    },
  });
}

async function ofPod(): Promise<Credentials> {
  const { server, ca, namespace, token } = await readInCluster();
  return {
    server,
    namespace,
    dispatcher: connectionsWith({ ca }),
    authorization: async () => ({ authorization: `Bearer ${await token()}` }),
  };
}

/**
 * Reads a kubeconfig, or without a path the ServiceAccount of the pod.
 *
 * @throws Error when there is none, or it names no cluster
 */
export async function loadCredentials(kubeconfig: string | undefined): Promise<Credentials> {
  if (kubeconfig === undefined) return ofPod();
  const { server, namespace, tls, headers } = await readKubeconfig(kubeconfig);
  return {
    server: server.replace(/\/$/, ''),
    namespace,
    dispatcher: connectionsWith(tls),
    authorization: async () => headers,
  };
}
