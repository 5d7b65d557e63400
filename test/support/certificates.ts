import { X509Certificate } from 'node:crypto';
import { selfSigned, type Pair } from '#gateway/self-signed.ts';

/** A certificate as a test asks for it: good from 2026 to 2049 unless it says otherwise. */
export interface WantedPair {
  readonly names?: readonly string[];
  readonly notBefore?: string;
  readonly notAfter?: string;
}

/** Makes a certificate that signs itself, and its key. */
export function makePair(wanted: WantedPair = {}): Pair {
  const { names = [], notBefore = '2026-01-01T00:00:00Z', notAfter = '2049-01-01T00:00:00Z' } = wanted;
  const commonName = 'a test certificate';
  return selfSigned({ commonName, names, notBefore: new Date(notBefore), notAfter: new Date(notAfter) });
}

/** What tells a certificate from any other. */
export const fingerprintOf = ({ certificate }: Pick<Pair, 'certificate'>): string =>
  new X509Certificate(certificate).fingerprint256;

/** A Secret of type kubernetes.io/tls. */
export const tlsSecret = (name: string, { certificate, privateKey }: Pair) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  type: 'kubernetes.io/tls',
  stringData: { 'tls.crt': certificate, 'tls.key': privateKey },
});
