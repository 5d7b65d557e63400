/**
 * Where the API server is and who we are there: a kubeconfig, or the ServiceAccount of the pod. The library
 * reads both and refreshes tokens; connections are ours, since its own make a new one for every call.
 */
import type { RequestOptions } from 'node:https';
import { Agent, type Dispatcher } from 'undici';

/** After this long without a byte a connection is probed by TCP; a dead peer is noticed 10 s later. */
const keepAliveDelayMs = 5000;
const connectTimeoutMs = 5000;

/** An identity that can be used now; made anew when the API server no longer takes it. */
export interface Credentials {
  readonly server: string;
  /** Namespace of the pod, or of the kubeconfig's context. */
  readonly namespace: string | undefined;
  readonly dispatcher: Dispatcher;
  /** The headers that say who we are; a token file is read again once a minute. */
  authorization(): Promise<Record<string, string>>;
}

/**
 * Reads a kubeconfig, or without a path the ServiceAccount of the pod.
 *
 * @throws Error when there is none, or it names no cluster
 */
export async function loadCredentials(kubeconfig: string | undefined): Promise<Credentials> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromCluster();
  else config.loadFromFile(kubeconfig);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`${kubeconfig ?? 'the pod'} names no cluster in its current context`);

  const options = async (): Promise<RequestOptions> => {
    const filled: RequestOptions = {};
    await config.applyToHTTPSOptions(filled);
    return filled;
  };
  const { ca, cert, key, passphrase, servername, rejectUnauthorized } = await options();
  const tls = { ca, cert, key, passphrase, servername, rejectUnauthorized };
  const dispatcher = new Agent({
    // One stream a connection: a stalled connection is then one stalled watch, and can be told by its silence.
    allowH2: false,
    connect: {
      ...Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
      timeout: connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveDelayMs,
    },
  });
  return {
    server: cluster.server.replace(/\/$/, ''),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    dispatcher,
    async authorization() {
      const { headers, auth } = await options();
      const basic = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
      return { ...(headers as Record<string, string> | undefined), ...basic };
    },
  };
}
