import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { bobsKey } from './bobs-key.ts';
import { makePair, tlsSecret } from './certificates.ts';
import { send } from './client.ts';
import { freePort } from './free-port.ts';
import { startLatchkey } from './latchkey-process.ts';
import { oneService } from './one-service.ts';
import { startUpstream } from './upstream.ts';

/** When the certificate of the gateway ends. */
export const certificateEnd = '2048-06-01T00:00:00Z';

/** A Service at a port where nobody listens, which a refused connection puts out, on the path /dead. */
const deadService = (port: number): string => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: to-nobody }
spec:
  ingressClassName: kong
  rules: [{ http: { paths: [{ path: /dead, pathType: Prefix, backend: { service: { name: dead, port: { number: 80 } } } }] } }]
---
apiVersion: v1
kind: Service
metadata: { name: dead, annotations: { konghq.com/upstream-policy: checked, konghq.com/retries: '2' } }
spec: { ports: [{ port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: dead-1, labels: { kubernetes.io/service-name: dead } }
addressType: IPv4
endpoints: [{ addresses: [127.0.0.1] }]
ports: [{ port: ${port} }]
---
apiVersion: configuration.konghq.com/v1beta1
kind: KongUpstreamPolicy
metadata: { name: checked }
spec: { healthchecks: { passive: { type: http, unhealthy: { tcpFailures: 3 } } } }
`;

/** A key of bob that ends within the time of `--key-expiry-warning`, and an Ingress that names no plugin there is. */
const faulty = (endsAt: string): string => `apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: { name: eve, annotations: { kubernetes.io/ingress.class: kong } }
username: eve
credentials: [ending]
---
apiVersion: v1
kind: Secret
metadata:
  name: ending
  labels: { konghq.com/credential: key-auth }
  annotations: { latchkey.dev/expires-at: '${endsAt}' }
stringData: { key: eves-key }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: broken, annotations: { konghq.com/plugins: absent } }
spec:
  ingressClassName: kong
  rules: [{ http: { paths: [{ path: /broken, pathType: Prefix, backend: { service: { name: s, port: { number: 80 } } } }] } }]
`;

/**
 * A whole gateway with one worker, and something of all that metrics tell: a certificate, a broken Ingress, a key that
 * ends soon, a Service that nobody answers for.
 */
export async function startWatchedGateway(flags: readonly string[] = []) {
  const upstream = await startUpstream();
  const dir = await mkdtemp(join(tmpdir(), 'latchkey-watched-'));
  const deadPort = await freePort();
  const host = 'a.example.com';
  const documents = [
    oneService(upstream.port, { route: { 'konghq.com/plugins': 'key-auth' }, tlsHost: host }),
    bobsKey,
    deadService(deadPort),
    faulty(new Date(Date.now() + 3_600_000).toISOString()),
    stringify(tlsSecret('cert', makePair({ names: [host], notAfter: certificateEnd }))),
  ];
  writeFileSync(join(dir, 'all.yaml'), documents.join('---\n'));
  const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '1', ...flags]);
  return {
    latchkey,
    upstream,
    deadPort,
    async ask(path: string, headers: Readonly<Record<string, string>> = {}) {
      return send({ port: latchkey.proxyPort, path, headers: Object.entries(headers) });
    },
    async scrape(): Promise<string> {
      return (await send({ port: latchkey.statusPort, path: '/metrics' })).body;
    },
    async stop(): Promise<void> {
      await latchkey.stop();
      await upstream.close();
      await rm(dir, { recursive: true });
    },
  };
}
