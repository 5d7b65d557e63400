import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePair } from '../test/support/certificates.ts';
import { scratchDirectory } from './scratch.ts';

/** Files in PEM: a certificate for `localhost` that signs itself (P-256), and its key. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly privateKey: string;
  /** One behind the other, as HAProxy wants them. */
  readonly both: string;
}

export async function writeCertificate(): Promise<CertificateFiles> {
  const { certificate, privateKey } = makePair({ names: ['localhost'] });
  const folder = scratchDirectory();
  const files = {
    certificate: join(folder, 'tls.crt'),
    privateKey: join(folder, 'tls.key'),
    both: join(folder, 'both.pem'),
  };
  await writeFile(files.certificate, certificate);
  await writeFile(files.privateKey, privateKey);
  await writeFile(files.both, certificate + privateKey);
  return files;
}
