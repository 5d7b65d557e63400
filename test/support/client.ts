import { request as httpRequest } from 'node:http';

/** A request as a test states it; header lists may repeat a name. */
export interface SentRequest {
  readonly port: number;
  readonly method?: string;
  readonly path: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

export interface ReceivedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends one request on a connection of its own, with exactly the headers stated (and Host, framing). */
export async function send({ port, method = 'GET', path, headers = [], body }: SentRequest): Promise<ReceivedAnswer> {
  const hasHost = headers.some(([name]) => name.toLowerCase() === 'host');
  const flat = [...(hasHost ? [] : [['Host', `127.0.0.1:${port}`] as const]), ...headers].flat();
  if (body !== undefined) flat.push('Content-Length', String(Buffer.byteLength(body)));
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', method, path, headers: flat, agent: false, setHost: false });
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    request.end(body);
  });
}
