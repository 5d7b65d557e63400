import cluster from 'node:cluster';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Assignment, Peer } from './peer.ts';

/** A peer that is a Node program: its file, run as one, serves the assignment it is given. */
export function nodePeer(name: string, moduleUrl: string): Peer {
  return {
    name,
    async command(assignment) {
      const file = join(assignment.folder, 'assignment.json');
      await writeFile(file, JSON.stringify({ ...assignment, keys: [...assignment.keys] }));
      return [process.execPath, fileURLToPath(moduleUrl), file];
    },
  };
}

/** What a Node program needs of its assignment, the certificate read. */
export type Serving = Pick<Assignment, 'port' | 'httpsPort' | 'upstreamPort' | 'keys'> & {
  readonly tls: { readonly cert: string; readonly key: string };
};

async function readAssignment(): Promise<Serving & Pick<Assignment, 'workers'>> {
  const text = await readFile(process.argv[2] ?? '', 'utf8');
  const { keys, certificate, ...others } = JSON.parse(text) as Omit<Assignment, 'keys'> & {
    readonly keys: readonly (readonly [string, string])[];
  };
  const cert = await readFile(certificate.certificate, 'utf8');
  const key = await readFile(certificate.privateKey, 'utf8');
  return { ...others, keys: new Map(keys), tls: { cert, key } };
}

/** The other side of `nodePeer`: serves what the program was given, in as many processes as are asked for. */
export async function servePeer(serve: (serving: Serving) => Promise<void>): Promise<void> {
  const { workers, ...serving } = await readAssignment();
  if (workers === 1 || cluster.isWorker) return serve(serving);
  for (let i = 0; i < workers; i += 1) cluster.fork();
}
