import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { latchkeyCommand } from '../latchkey-command.ts';
import { consumer, guardedIngress, keyAuthPlugin, keySecret, toYaml, upstreamService } from '../manifests.ts';
import type { Peer } from './peer.ts';

/** This checkout, with one worker, serving a directory of YAML. */
export const latchkey: Peer = {
  name: 'latchkey',
  async command({ port, upstreamPort, keys, folder }) {
    const route = [guardedIngress('bench', '/bench'), keyAuthPlugin(), ...upstreamService(upstreamPort)];
    const consumers = [...keys].flatMap(([key, name]) => [consumer(name), keySecret(name, key)]);
    await writeFile(join(folder, 'route.yaml'), toYaml(route));
    await writeFile(join(folder, 'consumers.yaml'), toYaml(consumers));
    return latchkeyCommand({ dir: folder, port, workers: 1 });
  },
};
