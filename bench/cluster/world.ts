/** The objects that most parts start from: many routes that one plugin guards, many consumers with a key each. */
import type { Ref } from '#resources/ref.ts';
import { consumer, guardedIngress, keyAuthPlugin, keySecret, type Manifest } from '../manifests.ts';
import { progress } from '../report.ts';
import type { Stage } from './stage.ts';
import type { Sight } from './worker-connections.ts';

export interface WorldSize {
  readonly ingresses: number;
  readonly consumers: number;
}

/** Ingresses that share a Service. */
export const ingressesPerService = 10;

export const serviceName = (s: number): string => `upstream-${s}`;
export const serviceOf = (i: number): string => serviceName(Math.floor(i / ingressesPerService));
export const consumerName = (i: number): string => `consumer-${i}`;
export const keyOf = (i: number): string => `key-of-${i}`;
export const pathOf = (i: number): string => `/route-${i}`;

const refIn = (kind: string, name: string): Ref => ({ kind, namespace: 'default', name });
export const ingressRef = (i: number): Ref => refIn('Ingress', `route-${i}`);
export const consumerRef = (i: number): Ref => refIn('KongConsumer', consumerName(i));
export const secretRef = (i: number): Ref => refIn('Secret', `${consumerName(i)}-key`);
export const pluginRef: Ref = refIn('KongPlugin', 'key-auth');
export const sliceRef = (s: number): Ref => refIn('EndpointSlice', `${serviceName(s)}-1`);

/** A Service with one pod behind it. */
export function podService(name: string, address: string, port: number): Manifest[] {
  const metadata = { name, namespace: 'default' };
  const labels = { 'kubernetes.io/service-name': name };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, name: `${name}-1`, labels },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address] }],
      ports: [{ name: '', port }],
    },
  ];
}

/** A request that is answered once the world is served. */
export const firstSight: Sight = { path: pathOf(0), key: keyOf(0), status: 200 };

const numbers = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

/** Creates the objects; nobody serves them yet. */
export async function createWorld({ writes, pods }: Stage, { ingresses, consumers }: WorldSize): Promise<void> {
  const services = numbers(Math.ceil(ingresses / ingressesPerService));
  const [address = ''] = pods.addresses;
  const objects = [
    keyAuthPlugin(),
    ...services.flatMap((s) => podService(serviceName(s), address, pods.port)),
    ...numbers(ingresses).map((i) => guardedIngress(`route-${i}`, pathOf(i), serviceOf(i))),
    ...numbers(consumers).flatMap((i) => [keySecret(consumerName(i), keyOf(i)), consumer(consumerName(i))]),
  ];
  const tookMs = await writes.createAll(objects);
  progress(`${objects.length} objects created in ${(tookMs / 1_000).toFixed(1)} s`);
}
