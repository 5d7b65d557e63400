import type { CertificateFiles } from '../certificate-files.ts';

/** What a gateway is given to serve in a bench. */
export interface Assignment {
  /** Port of 127.0.0.1 to listen on. */
  readonly port: number;
  /** Port of 127.0.0.1 to listen on for TLS, with HTTP/2 where it speaks it. */
  readonly httpsPort: number;
  /** What it shows there: every peer the same. */
  readonly certificate: CertificateFiles;
  /** Port of 127.0.0.1 to forward to. */
  readonly upstreamPort: number;
  /** Threads or processes that serve. */
  readonly workers: number;
  /** Keys that the header `apikey` may hold, each with the name of its consumer. */
  readonly keys: ReadonlyMap<string, string>;
  /** That of them which the load uses, and its consumer. */
  readonly loaded: readonly [key: string, consumer: string];
  /** An empty directory of its own, for configuration. */
  readonly folder: string;
}

/**
 * A gateway that is measured. On `/bench` and below it forwards whoever shows a key, with the consumer's name
 * in `X-Consumer-Username`, and answers 401 to anyone else.
 */
export interface Peer {
  readonly name: string;
  /** The program that must be installed for it. */
  readonly program?: string;
  /** Writes its configuration and gives the command that serves it. */
  command(assignment: Assignment): Promise<readonly string[]>;
}

/** What peers that are no gateways of their own answer to whoever has no valid key. */
export const refusal = JSON.stringify({ message: 'Unauthorized' });
