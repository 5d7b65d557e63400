import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type ConnectionOptions, type Server } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServerNames, type ServerNames } from '#gateway/server-names.ts';
import { createClientTls, type ClientTls } from '#gateway/tls.ts';
import type { Pair } from '#gateway/self-signed.ts';
import type { CertificateEntry, ServerNameEntry } from '#table/certificate-entry.ts';
import { Redacted } from '#table/redacted.ts';
import { fingerprintOf, makePair } from '../../support/certificates.ts';
import { silent } from '../../support/silent.ts';

const fallback = makePair();
const own = makePair({ names: ['a.example.com'] });
const other = makePair();
const named: Record<string, string> = {
  [fingerprintOf(fallback)]: 'fallback',
  [fingerprintOf(own)]: 'own',
  [fingerprintOf(other)]: 'other',
};

const certificate = (key: string, { certificate: text, privateKey }: Pair): CertificateEntry => ({
  kind: 'certificate',
  key,
  certificate: text,
  privateKey: new Redacted(privateKey),
  notAfterMs: 0,
});
const serverName = (host: string, key: string): ServerNameEntry => ({
  kind: 'server-name',
  key: `server-name:${host}`,
  host,
  certificate: key,
});

let names: ServerNames;
let tls: ClientTls;
let server: Server;

beforeEach(async () => {
  names = createServerNames();
  tls = createClientTls({ table: { serverNames: names }, fallback, log: (await silent()).log });
  server = createServer(tls.serverOptions, (socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => void server.close());

/** What a client is met with: the certificate and the protocol, or why there was no handshake. */
async function meet(options: ConnectionOptions): Promise<string> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
      const { fingerprint256 } = socket.getPeerX509Certificate() ?? new X509Certificate(fallback.certificate);
      resolve(`${named[fingerprint256]} ${socket.getProtocol()} ${String(socket.alpnProtocol)}`);
      socket.destroy();
    });
    socket.once('error', ({ code, message }: NodeJS.ErrnoException) => resolve(code ?? message));
  });
}

describe('a handshake', () => {
  test('is shown the certificate of the name, from the moment it is in the table', async () => {
    expect(await meet({ servername: 'a.example.com' })).toBe('fallback TLSv1.3 false');
    names.put(certificate('c', own));
    names.put(serverName('a.example.com', 'c'));
    expect(await meet({ servername: 'a.example.com' })).toBe('own TLSv1.3 false');
    expect(await meet({ servername: 'A.EXAMPLE.COM' })).toBe('own TLSv1.3 false');
    names.remove(certificate('c', own));
    names.put(certificate('c', other));
    expect(await meet({ servername: 'a.example.com' })).toBe('other TLSv1.3 false');
  });

  test('without a name is shown the default, whenever that changes', async () => {
    expect(tls.takeDefault()).toBeUndefined();
    names.put(certificate('d', own));
    names.put(serverName('', 'd'));
    const taken = tls.takeDefault();
    if (taken !== undefined) server.setSecureContext(taken);
    expect(await meet({ servername: '' })).toBe('own TLSv1.3 false');
    expect(await meet({ servername: 'unknown.example.com' })).toBe('own TLSv1.3 false');
    expect(tls.takeDefault()).toBeUndefined();
    names.remove(serverName('', 'd'));
    expect(tls.takeDefault()).toMatchObject({ cert: fallback.certificate });
  });

  test('for a pair that OpenSSL refuses is shown the default, and the next one is served', async () => {
    names.put(certificate('bad', { certificate: own.certificate, privateKey: other.privateKey }));
    names.put(serverName('a.example.com', 'bad'));
    expect(await meet({ servername: 'a.example.com' })).toBe('fallback TLSv1.3 false');
    names.put(certificate('d', other));
    names.put(serverName('', 'd'));
    expect(await meet({ servername: 'a.example.com' })).toBe('other TLSv1.3 false');
    names.put(serverName('', 'bad'));
    expect(tls.takeDefault()).toMatchObject({ cert: fallback.certificate });
    expect(await meet({ servername: 'a.example.com' })).toBe('fallback TLSv1.3 false');
  });

  test('is of TLS 1.2 or 1.3, no older', async () => {
    expect(tls.serverOptions.minVersion).toBe('TLSv1.2'); // whatever this machine's OpenSSL allows
    expect(await meet({ servername: 'x', maxVersion: 'TLSv1.2' })).toBe('fallback TLSv1.2 false');
    // Even for a client whose OpenSSL would go that low.
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    expect(await meet({ servername: 'x', ...old })).toMatch(/PROTOCOL_VERSION/);
  });

  test('agrees on HTTP/2 or HTTP/1.1, and on nothing else', async () => {
    for (const [offered, agreed] of [
      [['h2', 'http/1.1'], 'h2'],
      [['http/1.1'], 'http/1.1'],
    ] as const)
      expect(await meet({ servername: 'x', ALPNProtocols: [...offered] })).toBe(`fallback TLSv1.3 ${agreed}`);
    expect(await meet({ servername: 'x', ALPNProtocols: ['h3'] })).toMatch(/NO_APPLICATION_PROTOCOL/);
  });
});
