import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { caCertificate, deepPair, serverPair } from './signed-certificates.ts';

/** A request as an upstream saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** Flat list of names and values, in the order and spelling they came in. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** Name that the connection was asked for by (SNI), if it came over TLS and asked for one. */
  readonly serverName?: string;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function listenOn(server: Server, host: string): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

const tlsOptions = (pair: typeof serverPair) => ({ cert: pair.certificate, key: pair.privateKey });

function nameAsked(request: IncomingMessage): Pick<SeenRequest, 'serverName'> {
  const { servername } = request.socket as TLSSocket & { readonly servername?: string | false };
  return typeof servername === 'string' ? { serverName: servername } : {};
}

/**
 * A real upstream that answers 200 `upstream`, to /hang nothing ever, and remembers what it saw: without TLS,
 * with a certificate of the CA itself (`secure`), with one that is two others away from it (`deep`), and one
 * that wants a certificate of the gateway (`mutual`).
 */
export async function startUpstream(address = '127.0.0.1', listen = address) {
  const seen: SeenRequest[] = [];
  const serve: RequestListener = (request, response) => {
    void bodyOf(request).then(
      (body) => {
        const { method = '', url = '', rawHeaders } = request;
        seen.push({ method, path: url, rawHeaders, body, ...nameAsked(request) });
        if (url.startsWith('/hang')) return;
        response.writeHead(200, { 'Content-Type': 'text/plain' });
        response.end('upstream');
      },
      () => undefined,
    ); // the gateway gave it up: nobody saw a request
  };
  const server = createServer(serve);
  const secure = createTlsServer(tlsOptions(serverPair), serve);
  const deep = createTlsServer(tlsOptions(deepPair), serve);
  const mutual = createTlsServer(
    { ...tlsOptions(serverPair), ca: caCertificate, requestCert: true, rejectUnauthorized: true },
    serve,
  );
  const servers = [server, secure, deep, mutual];
  return {
    server,
    address,
    port: await listenOn(server, listen),
    tlsPorts: {
      secure: await listenOn(secure, listen),
      deep: await listenOn(deep, listen),
      mutual: await listenOn(mutual, listen),
    },
    seen,
    /** Forgets what was seen and gives it. */
    take: (): SeenRequest[] => seen.splice(0),
    async close(): Promise<void> {
      for (const one of servers) one.closeAllConnections();
      await Promise.all(servers.map(async (one) => new Promise<void>((resolve) => void one.close(() => resolve()))));
    },
  };
}

/** Every value of a header that an upstream saw. */
export function seenHeader(request: SeenRequest | undefined, name: string): string[] {
  const raw = request?.rawHeaders ?? [];
  return raw.flatMap((item, i) => (i % 2 === 0 && item.toLowerCase() === name.toLowerCase() ? [raw[i + 1] ?? ''] : []));
}
