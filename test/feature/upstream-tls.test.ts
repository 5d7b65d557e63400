/** WebSockets to endpoints over TLS and by name, and a change of settings while requests come, end to end. */
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startPipeline } from '#pipeline.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { send } from '../support/client.ts';
import { caseSettings } from '../support/case-folders.ts';
import { tlsSecret } from '../support/certificates.ts';
import { objectSource } from '../support/object-source.ts';
import { caCertificate, clientPair, deepPair, otherCaCertificate, serverPair } from '../support/signed-certificates.ts';
import { silent } from '../support/silent.ts';
import { proxySettings } from '../support/proxy-settings.ts';

interface Asked {
  readonly annotations: Readonly<Record<string, string>>;
  readonly port: number;
  readonly externalName?: string;
}

const meta = (name: string, more: object = {}) => ({ name, namespace: 'default', ...more });

function objectsOf({ annotations, port, externalName }: Asked): KubernetesObject[] {
  const backend = { service: { name: 'web', port: { number: externalName === undefined ? 80 : port } } };
  const named = { type: 'ExternalName', externalName };
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta('web', { annotations }),
      spec: externalName === undefined ? { ports: [{ port: 80 }] } : named,
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: meta('web-1', { labels: { 'kubernetes.io/service-name': 'web' } }),
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.1'] }],
      ports: [{ port }],
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: meta('a'),
      spec: { ingressClassName: 'kong', rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] },
    },
    caSecret('ca', caCertificate),
    caSecret('other', otherCaCertificate),
    tlsSecret('gateway', clientPair),
  ];
}

const caSecret = (name: string, certificate: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: meta(name, { labels: { 'konghq.com/ca-cert': 'true' } }),
  stringData: { 'ca.crt': certificate },
});

async function startGateway() {
  const source = objectSource();
  const pipeline = await startPipeline({
    openSource: async () => source,
    ...(await caseSettings()),
    ...(await silent()),
    proxy: proxySettings(),
    version: '0.0.0-test',
  });
  onTestFinished(async () => pipeline.stop(0));
  return {
    port: pipeline.port,
    apply: async (asked: Asked): Promise<void> => {
      source.set(objectsOf(asked));
      await pipeline.settled();
    },
  };
}

/** A WebSocket server over TLS that says what it hears, and who it was asked as. */
async function startEcho(pair = serverPair, more: object = {}) {
  const server = createHttpsServer({ cert: pair.certificate, key: pair.privateKey, ...more }, (_, response) => {
    response.end('plain');
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** What a WebSocket says back, or the status that it was refused with. */
async function echoed(port: number, host = 'upstream.example'): Promise<string | number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { Host: host } });
  return new Promise((resolve) => {
    socket.on('open', () => socket.send('hello'));
    socket.on('message', (data: Buffer) => {
      socket.close();
      resolve(data.toString('utf8'));
    });
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    socket.on('error', () => undefined);
  });
}

const verified = {
  'konghq.com/protocol': 'wss',
  'konghq.com/tls-verify': 'true',
  'konghq.com/ca-certificates-secrets': 'ca',
};

test('a WebSocket goes to its endpoint over TLS, verified as its Service says', async () => {
  const gateway = await startGateway();
  const port = await startEcho();
  await gateway.apply({ annotations: { 'konghq.com/protocol': 'wss' }, port });
  expect(await echoed(gateway.port, 'any.example')).toBe('hello');
  await gateway.apply({ annotations: verified, port });
  expect(await echoed(gateway.port)).toBe('hello');
  expect(await echoed(gateway.port, 'other.example')).toBe(502);
  await gateway.apply({ annotations: { ...verified, 'konghq.com/ca-certificates-secrets': 'other' }, port });
  expect(await echoed(gateway.port)).toBe(502);
  await gateway.apply({ annotations: { ...verified, 'konghq.com/ca-certificates-secrets': 'none' }, port });
  expect(await echoed(gateway.port)).toBe(503);
});

test('a WebSocket brings the certificate of the gateway and minds the depth', async () => {
  const gateway = await startGateway();
  const port = await startEcho(deepPair, { ca: caCertificate, requestCert: true, rejectUnauthorized: true });
  const mutual = { ...verified, 'konghq.com/client-cert': 'gateway' };
  await gateway.apply({ annotations: mutual, port });
  expect(await echoed(gateway.port)).toBe(502);
  await gateway.apply({ annotations: { ...mutual, 'konghq.com/tls-verify-depth': '2' }, port });
  expect(await echoed(gateway.port)).toBe('hello');
  await gateway.apply({ annotations: { ...verified, 'konghq.com/tls-verify-depth': '2' }, port });
  expect(await echoed(gateway.port)).toBe(502);
});

test('a WebSocket goes to a name, and is answered 503 where the name leads nowhere', async () => {
  const gateway = await startGateway();
  const port = await startEcho();
  const annotations = { 'konghq.com/protocol': 'wss' };
  await gateway.apply({ annotations, port, externalName: 'localhost' });
  expect(await echoed(gateway.port)).toBe('hello');
  await gateway.apply({ annotations, port, externalName: 'nowhere.invalid' });
  expect(await echoed(gateway.port)).toBe(503);
});

test('no request after a change of the CA goes over a connection that the former CA vouched for', async () => {
  const gateway = await startGateway();
  const port = await startEcho();
  const get = async () =>
    (await send({ port: gateway.port, method: 'GET', path: '/', headers: [['Host', 'upstream.example']] })).status;
  for (let round = 0; round < 5; round += 1) {
    await gateway.apply({ annotations: verified, port });
    expect(await Promise.all([get(), get(), get()])).toEqual([200, 200, 200]);
    await gateway.apply({ annotations: { ...verified, 'konghq.com/ca-certificates-secrets': 'other' }, port });
    expect(await Promise.all([get(), get(), get()])).toEqual([502, 502, 502]);
  }
});
