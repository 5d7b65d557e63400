import type { Redacted } from './redacted.ts';

/** A certificate with its key: what a TLS server shows and proves. */
export interface CertificateEntry {
  readonly kind: 'certificate';
  /** Unique in the table: `certificate:<namespace>/<secret>`. */
  readonly key: string;
  /** PEM: the certificate itself, then what leads from it to a CA. */
  readonly certificate: string;
  /** PEM. */
  readonly privateKey: Redacted;
  /** When it ends, in milliseconds since the epoch; clients get to see it all the same. */
  readonly notAfterMs: number;
}

/** What is shown to clients that name this host in their handshake (SNI, RFC 6066 section 3). */
export interface ServerNameEntry {
  readonly kind: 'server-name';
  /** Unique in the table: `server-name:<namespace>/<ingress>/<host>`. */
  readonly key: string;
  /** Lower-case host; `*.example.com` for one label more; '' for clients that name none, or none of ours. */
  readonly host: string;
  /** Key of a CertificateEntry; absent, or one that the table does not have, for the default certificate. */
  readonly certificate?: string;
}
