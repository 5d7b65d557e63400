import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { selfSigned } from '#gateway/self-signed.ts';

const made = (changes: Partial<Parameters<typeof selfSigned>[0]> = {}) =>
  selfSigned({
    commonName: 'nobody',
    names: ['a.example.com', '*.b.example.com'],
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2049-12-31T23:59:59Z'),
    ...changes,
  });

describe('a certificate that signs itself', () => {
  test('says what it was asked to say, and its key is its own', () => {
    const { certificate, privateKey } = made();
    const read = new X509Certificate(certificate);
    expect(read).toMatchObject({
      subject: 'CN=nobody',
      issuer: 'CN=nobody',
      subjectAltName: 'DNS:a.example.com, DNS:*.b.example.com',
      signatureAlgorithm: 'ecdsa-with-SHA256',
      validFromDate: new Date('2026-01-01T00:00:00Z'),
      validToDate: new Date('2049-12-31T23:59:59Z'),
    });
    expect(read.verify(read.publicKey)).toBe(true);
    expect(read.checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
  });

  test.for(['2049-12-31T23:59:59Z', '2050-01-01T00:00:00Z', '2123-04-05T06:07:08Z'])('may end at %s', (end) => {
    expect(new X509Certificate(made({ notAfter: new Date(end) }).certificate).validToDate).toEqual(new Date(end));
  });

  test('is another one each time', () => {
    const serials = Array.from({ length: 50 }, () => new X509Certificate(made().certificate).serialNumber);
    expect(new Set(serials).size).toBe(50);
    expect(serials.every((serial) => serial.length === 32)).toBe(true);
  });

  test('may have a hundred names, or none', () => {
    const names = Array.from({ length: 100 }, (_, i) => `host-${i}.example.com`);
    expect(new X509Certificate(made({ names }).certificate).checkHost('host-99.example.com')).toBe(
      'host-99.example.com',
    );
    expect(new X509Certificate(made({ names: [] }).certificate).subjectAltName).toBeUndefined();
  });

  test('is taken by a client that trusts it, for its names alone', async () => {
    const { certificate, privateKey } = made();
    const server = createServer({ cert: certificate, key: privateKey }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const meet = async (servername: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect({ port, host: '127.0.0.1', servername, ca: certificate }, () => {
          resolve('taken');
          socket.destroy();
        });
        socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? ''));
      });
    expect(await Promise.all(['a.example.com', 'x.b.example.com', 'c.example.com'].map(meet))).toEqual([
      'taken',
      'taken',
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ]);
  });
});
