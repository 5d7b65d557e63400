import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';

/** A request as a test states it; header lists may repeat a name. */
export interface SentRequest {
  readonly port: number;
  readonly method?: string;
  readonly path: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
  /** Over TLS, naming this host in the handshake ('' for none); plain HTTP when absent. No certificate is refused. */
  readonly serverName?: string;
}

export interface ReceivedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** Fingerprint and common name of the certificate that was shown. */
  readonly certificate?: { readonly fingerprint: string; readonly commonName: string };
}

function shownBy(socket: TLSSocket): ReceivedAnswer['certificate'] {
  const { fingerprint256: fingerprint, subject } = socket.getPeerCertificate();
  return { fingerprint, commonName: String(subject.CN) };
}

/** Sends one request on a connection of its own, with exactly the headers stated (and Host, framing). */
export async function send(sent: SentRequest): Promise<ReceivedAnswer> {
  const { port, method = 'GET', path, headers = [], body, serverName } = sent;
  const hasHost = headers.some(([name]) => name.toLowerCase() === 'host');
  const flat = [...(hasHost ? [] : [['Host', `127.0.0.1:${port}`] as const]), ...headers].flat();
  if (body !== undefined) flat.push('Content-Length', String(Buffer.byteLength(body)));
  return new Promise((resolve, reject) => {
    const where = { port, host: '127.0.0.1', method, path, headers: flat, agent: false, setHost: false } as const;
    const request =
      serverName === undefined
        ? httpRequest(where)
        : httpsRequest({ ...where, servername: serverName, rejectUnauthorized: false });
    request.once('error', reject);
    request.once('response', (response) => {
      const certificate = serverName === undefined ? undefined : shownBy(response.socket as TLSSocket);
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
          ...(certificate === undefined ? {} : { certificate }),
        }),
      );
    });
    request.end(body);
  });
}
