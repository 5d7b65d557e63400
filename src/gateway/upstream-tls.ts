import { isIP } from 'node:net';
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  getCACertificates,
  type DetailedPeerCertificate,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { UpstreamTls } from '#table/service-entry.ts';

/** Where a connection over TLS goes. */
export interface TlsPeer {
  readonly host: string;
  readonly port: number;
  /** Name that is asked for (SNI) and, if the service verifies, proved; '' where the Host is an address. */
  readonly serverName: string;
  readonly timeoutMs: number;
  /** What is spoken; default http/1.1. An endpoint that speaks something else is none. */
  readonly protocol?: 'h2';
}

/** Code of the error that connecting took too long. */
export const connectTimeoutCode = 'ERR_CONNECT_TIMEOUT';

/** Gives a connection up that is not there in time. */
function limited(socket: TLSSocket, timeoutMs: number): TLSSocket {
  const late = (): void => {
    socket.destroy(Object.assign(new Error('connecting took too long'), { code: connectTimeoutCode }));
  };
  const timer = setTimeout(late, timeoutMs);
  for (const event of ['secureConnect', 'close'] as const) socket.once(event, () => clearTimeout(timer));
  return socket;
}

/** The name in a Host that goes out: Kong asks for it, and has it proved, as nginx does by proxy_ssl_name. */
export function serverNameOf(host: string): string {
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d*$/, '');
  return isIP(name) === 0 ? name : '';
}

const contexts = new WeakMap<UpstreamTls, SecureContext>();

/** The roots that `tls-verify` goes by without CAs of its own; an image without any falls back on Node's. */
function systemRoots(): string[] {
  const found = getCACertificates('system');
  return found.length > 0 ? found : getCACertificates('bundled');
}

/** Made once for the settings of a service: reading the certificates takes longer than a handshake. */
function contextOf(settings: UpstreamTls): SecureContext {
  const known = contexts.get(settings);
  if (known !== undefined) return known;
  const { client } = settings;
  const context = createSecureContext({
    ...(settings.isVerified ? { ca: settings.ca ?? systemRoots() } : {}),
    ...(client === undefined ? {} : { cert: client.certificate, key: client.privateKey.reveal() }),
  });
  contexts.set(settings, context);
  return context;
}

/** How many certificates stand between that of an endpoint and the one that is trusted. */
function depthOf(certificate: DetailedPeerCertificate): number {
  const seen = new Set<string>([certificate.fingerprint256]);
  let issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
  while (issuer !== undefined && !seen.has(issuer.fingerprint256)) {
    seen.add(issuer.fingerprint256);
    issuer = issuer.issuerCertificate;
  }
  return Math.max(0, seen.size - 2);
}

function depthFault(socket: TLSSocket, settings: UpstreamTls): Error | undefined {
  if (!settings.isVerified) return undefined;
  const depth = depthOf(socket.getPeerCertificate(true));
  if (depth <= settings.depth) return undefined;
  return new Error(`the certificate is ${depth} certificates away from its CA, at most ${settings.depth} are allowed`);
}

/** Node checks the address that is connected to where no name is asked for. */
const identityOf = ({ host, serverName }: TlsPeer) =>
  function check(_: string, certificate: PeerCertificate): Error | undefined {
    return checkServerIdentity(serverName === '' ? host : serverName, certificate);
  };

/**
 * A connection over TLS that has been verified as its service wants; told once, with the socket or with why
 * there is none. Nothing has been sent on it. Gives the socket, to destroy it by.
 */
export function connectTls(
  peer: TlsPeer,
  settings: UpstreamTls,
  done: (error: Error | null, socket: TLSSocket | null) => void,
): TLSSocket {
  const socket = connect({
    host: peer.host,
    port: peer.port,
    ...(peer.serverName === '' ? {} : { servername: peer.serverName }),
    secureContext: contextOf(settings),
    rejectUnauthorized: settings.isVerified,
    checkServerIdentity: identityOf(peer),
    ALPNProtocols: [peer.protocol ?? 'http/1.1'],
  });
  const fail = (error: Error): void => done(error, null);
  limited(socket, peer.timeoutMs).setNoDelay(true);
  socket.once('error', fail);
  socket.once('secureConnect', () => {
    const fault = depthFault(socket, settings);
    // Destroyed with the fault it comes as an error, like every other.
    if (fault !== undefined) return void socket.destroy(fault);
    socket.off('error', fail);
    done(null, socket);
  });
  return socket;
}
