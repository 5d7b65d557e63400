/**
 * Addresses that an EndpointSlice may name: the API server refuses those of the loopback. A network namespace
 * of our own has them, joined to this one by a veth pair, and in it runs the upstream that answers on each.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ownChild } from './owned-children.ts';

const run = promisify(execFile);
const server = join(import.meta.dirname, 'pod-server.ts');
const podPort = 8080;
const ready = 'pods listen';

export interface Pods {
  /** An address a pod; all of them answer. */
  readonly addresses: readonly string[];
  /** This side of their network: an address of the machine's own that an EndpointSlice may name. */
  readonly gateway: string;
  readonly port: number;
  close(): Promise<void>;
}

async function ip(...args: readonly string[]): Promise<void> {
  await run('ip', args);
}

/** Starts as many pods as asked for, at most 200. It takes root and iproute2. @throws Error with what `ip` says */
export async function startPods(count: number): Promise<Pods> {
  // A net of its own for each process, so that test files do not meet.
  const id = process.pid % 60_000;
  const name = `latchkey-${id}`;
  const net = `10.${100 + (Math.floor(id / 256) % 128)}.${id % 256}`;
  const addresses = Array.from({ length: count }, (_, i) => `${net}.${i + 2}`);
  await ip('netns', 'add', name);
  try {
    await ip('link', 'add', `lk${id}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    await ip('addr', 'add', `${net}.1/24`, 'dev', `lk${id}`);
    await ip('link', 'set', `lk${id}`, 'up');
    for (const address of addresses) await ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    await ip('-n', name, 'link', 'set', 'eth0', 'up');
    const args = ['netns', 'exec', name, process.execPath, server, String(podPort), ready];
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    ownChild(child);
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString('utf8')));
    const gone = once(child, 'exit');
    await Promise.race([
      once(child.stdout, 'data'),
      gone.then(() => Promise.reject(new Error(`the pods do not start: ${complaint}`))),
    ]);
    return {
      addresses,
      gateway: `${net}.1`,
      port: podPort,
      async close() {
        child.kill('SIGKILL');
        await gone;
        await ip('netns', 'del', name);
      },
    };
  } catch (error) {
    await ip('netns', 'del', name);
    throw error;
  }
}
