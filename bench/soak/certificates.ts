/** Looks again and again which certificate is shown, while it is rotated. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import { versionFor } from './moving.ts';
import { noteFault, noteLoss, type Watch } from './watch.ts';
import type { World } from './world.ts';

const everyMs = 250;

async function shownAt(port: number): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerX509Certificate()?.fingerprint256;
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}

/** Until told to stop. */
export async function watchCertificates(
  httpsPort: number,
  { certificate, certificates }: World,
  { watch, signal }: { readonly watch: Watch; readonly signal: AbortSignal },
): Promise<void> {
  const known = certificates.map((pem) => new X509Certificate(pem).fingerprint256);
  while (!signal.aborted) {
    const sentMs = performance.now();
    try {
      const version = known.indexOf((await shownAt(httpsPort)) ?? '');
      const right = versionFor(certificate, sentMs);
      if (version === -1) noteFault(watch, 'a certificate was shown that nobody gave');
      else if (right !== undefined && version !== right) noteFault(watch, 'the certificate of before was shown');
    } catch (error) {
      noteLoss(watch, sentMs, `a handshake failed: ${(error as Error).message}`);
    }
    await pause(everyMs);
  }
}
