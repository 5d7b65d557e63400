/**
 * How clients are met over TLS: the certificate for the name they give, out of the table.
 *
 *   handshake ── server name ──▶ served table ──▶ certificate ──▶ secure context
 *
 * Invariant: a handshake meets the table as it is when it begins, and a connection keeps what it was made with.
 * What a client sends, or a pair that OpenSSL refuses, fails no other handshake.
 */
import { createSecureContext, type SecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls';
import type { CertificateEntry } from '#table/certificate-entry.ts';
import type { Logger } from '#telemetry/log.ts';
import type { Pair } from './self-signed.ts';
import type { ServedTable } from './served-table.ts';

export interface ClientTlsOptions {
  readonly table: Pick<ServedTable, 'serverNames'>;
  /** What is shown where the table has no certificate. */
  readonly fallback: Pair;
  readonly log: Logger;
}

/** Certificates as TLS serves them. */
export interface ClientTls {
  /** For `https.createServer`. */
  readonly serverOptions: TlsOptions;
  /** What clients that name no host are shown, if that is other than when this was asked last. */
  takeDefault(): SecureContextOptions | undefined;
}

/** RFC 8996: what is older is not to be used. */
const protocol: SecureContextOptions = { minVersion: 'TLSv1.2' };

const pairOf = ({ certificate, privateKey }: CertificateEntry): Pair => ({
  certificate,
  privateKey: privateKey.reveal(),
});

const contextOptions = ({ certificate, privateKey }: Pair): SecureContextOptions => ({
  ...protocol,
  cert: certificate,
  key: privateKey,
});

/** See the head of this file. */
export function createClientTls({ table, fallback, log }: ClientTlsOptions): ClientTls {
  const fallbackContext = createSecureContext(contextOptions(fallback));
  /** Made when a client first asks: of thousands of certificates few are asked for, and each takes memory. */
  const contexts = new WeakMap<CertificateEntry, SecureContext | 'refused'>();
  let shown: CertificateEntry | undefined;

  const makeContext = (entry: CertificateEntry): SecureContext | 'refused' => {
    try {
      return createSecureContext(contextOptions(pairOf(entry)));
    } catch (error) {
      log.error({ certificate: entry.key, reason: (error as Error).message }, 'OpenSSL refuses a certificate');
      return 'refused';
    }
  };

  const contextOf = (entry: CertificateEntry | undefined): SecureContext | undefined => {
    if (entry === undefined) return undefined;
    const context = contexts.get(entry) ?? makeContext(entry);
    contexts.set(entry, context);
    return context === 'refused' ? undefined : context;
  };

  const contextFor = (name: string): SecureContext =>
    contextOf(table.serverNames.find(name)) ?? contextOf(table.serverNames.find('')) ?? fallbackContext;

  return {
    serverOptions: {
      ...contextOptions(fallback),
      SNICallback: (name, done) => done(null, contextFor(name)),
      ALPNProtocols: ['h2', 'http/1.1'],
    },

    takeDefault() {
      const entry = table.serverNames.find('');
      if (entry === shown) return undefined;
      shown = entry;
      return contextOptions(entry === undefined || contextOf(entry) === undefined ? fallback : pairOf(entry));
    },
  };
}
