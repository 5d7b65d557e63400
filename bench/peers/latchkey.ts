import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tlsSecret } from '../../test/support/certificates.ts';
import type { CertificateFiles } from '../certificate-files.ts';
import { latchkeyCommand } from '../latchkey-command.ts';
import { consumer, guardedIngress, keyAuthPlugin, keySecret, toYaml, upstreamService } from '../manifests.ts';
import type { Peer } from './peer.ts';

async function certificateSecret({ certificate, privateKey }: CertificateFiles) {
  const [pem, key] = [await readFile(certificate, 'utf8'), await readFile(privateKey, 'utf8')];
  return tlsSecret('certificate', { certificate: pem, privateKey: key });
}

/** This checkout, serving a directory of YAML. */
export const latchkey: Peer = {
  name: 'latchkey',
  async command({ port, httpsPort, certificate, upstreamPort, workers, keys, folder }) {
    const route = [guardedIngress('bench', '/bench'), keyAuthPlugin(), ...upstreamService(upstreamPort)];
    const consumers = [...keys].flatMap(([key, name]) => [consumer(name), keySecret(name, key)]);
    await writeFile(join(folder, 'route.yaml'), toYaml([...route, await certificateSecret(certificate)]));
    await writeFile(join(folder, 'consumers.yaml'), toYaml(consumers));
    const flags = ['--default-certificate', 'default/certificate'];
    return latchkeyCommand({ dir: folder, port, httpsPort, workers, flags });
  },
};
