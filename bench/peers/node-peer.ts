import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Assignment, Peer } from './peer.ts';

/** A peer that is a Node program: its file, run as one, serves the assignment it is given. */
export function nodePeer(name: string, moduleUrl: string): Peer {
  return {
    name,
    async command({ folder, keys, port, upstreamPort }) {
      const file = join(folder, 'assignment.json');
      await writeFile(file, JSON.stringify({ port, upstreamPort, keys: [...keys] }));
      return [process.execPath, fileURLToPath(moduleUrl), file];
    },
  };
}

/** The other side of `nodePeer`: what the program was given to serve. */
export async function readAssignment(): Promise<Omit<Assignment, 'folder' | 'loaded'>> {
  const text = await readFile(process.argv[2] ?? '', 'utf8');
  const { keys, ...ports } = JSON.parse(text) as {
    readonly port: number;
    readonly upstreamPort: number;
    readonly keys: readonly (readonly [string, string])[];
  };
  return { ...ports, keys: new Map(keys) };
}
