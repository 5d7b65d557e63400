import { randomBytes } from 'node:crypto';
import { ask, untilAnswers } from './ask.ts';
import type { CertificateFiles } from './certificate-files.ts';
import type { Cores } from './cores.ts';
import { freePort } from '../test/support/free-port.ts';
import type { Peer } from './peers/peer.ts';
import { startProcess } from './process.ts';
import { scratchDirectory } from './scratch.ts';
import { upstreamBody, whoPath, type Upstream } from './upstream.ts';

/** What is under load. */
export interface Gateway {
  readonly name: string;
  readonly pid: number;
  readonly url: string;
}

/** A peer that runs and was seen to authenticate, with TLS and without. */
export interface StartedGateway extends Gateway {
  readonly httpsUrl: string;
  stop(): Promise<void>;
}

/** Keys that every peer gets, and the one that the load uses. */
export interface Keyring {
  readonly keys: ReadonlyMap<string, string>;
  readonly key: string;
  readonly consumer: string;
}

/** Keys of 128 random bits, each of a consumer of its own. */
export function makeKeyring(size: number): Keyring {
  const entries = Array.from({ length: size }, (_, i) => [randomBytes(16).toString('hex'), `consumer-${i}`] as const);
  const [key, consumer] = entries[Math.floor(size / 2)] ?? ['', ''];
  return { keys: new Map(entries), key, consumer };
}

/**
 * Nobody is measured who only looks like a gateway: no key and a wrong key are refused, the right key brings
 * the upstream's own body, and the upstream learns the consumer's name, whatever name the client claims.
 */
async function assertAuthenticates(origin: string, { key, consumer }: Keyring): Promise<void> {
  const claim = { 'x-consumer-username': 'somebody-else' };
  const cases = [
    { path: '/bench', headers: {}, status: 401 },
    { path: '/bench', headers: { apikey: 'wrong' }, status: 401 },
    { path: '/bench', headers: { apikey: key }, status: 200, body: upstreamBody },
    { path: whoPath, headers: { apikey: key, ...claim }, status: 200, body: consumer },
  ];
  for (const { path, headers, status, body } of cases) {
    const answer = await ask(origin + path, headers);
    const isRight = answer.status === status && (body === undefined || answer.body === body);
    const sent = JSON.stringify({ ...headers, ...('apikey' in headers ? { apikey: '…' } : {}) });
    if (!isRight)
      throw new Error(`${path} with ${sent}: expected ${status} ${body ?? ''}, got ${answer.status} ${answer.body}`);
  }
}

async function start(peer: Peer, keyring: Keyring, place: Place): Promise<StartedGateway> {
  const { upstream, cores, workers, certificate } = place;
  const [port, httpsPort] = [await freePort(), await freePort()];
  const assignment = {
    port,
    httpsPort,
    certificate,
    workers,
    upstreamPort: upstream.port,
    keys: keyring.keys,
    loaded: [keyring.key, keyring.consumer],
    folder: scratchDirectory(),
  } as const;
  const running = startProcess(cores.onGatewayCore(await peer.command(assignment)));
  const [plain, overTls] = [`http://127.0.0.1:${port}`, `https://127.0.0.1:${httpsPort}`];
  for (const origin of [plain, overTls]) {
    const ready = { url: `${origin}/bench`, headers: { apikey: keyring.key } };
    await untilAnswers(running, { ...ready, everyMs: 20, deadlineMs: 20_000 });
    await assertAuthenticates(origin, keyring);
  }
  const stop = async (): Promise<void> => running.stop();
  return { name: peer.name, pid: running.pid, url: `${plain}/bench`, httpsUrl: `${overTls}/bench`, stop };
}

/** Where gateways are started. */
export interface Place {
  readonly upstream: Upstream;
  readonly cores: Cores;
  /** Threads or processes of each. */
  readonly workers: number;
  readonly certificate: CertificateFiles;
}

/**
 * Starts a peer on the core of gateways and makes sure that it authenticates.
 *
 * @throws Error that names the peer if it does not start or lets in what it should not
 */
export async function startGateway(peer: Peer, keyring: Keyring, place: Place): Promise<StartedGateway> {
  try {
    return await start(peer, keyring, place);
  } catch (error) {
    throw new Error(`${peer.name}: ${(error as Error).message}`, { cause: error });
  }
}
