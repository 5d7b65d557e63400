import { stringify } from 'yaml';

/** A Kubernetes object as one writes it. */
export type Manifest = Readonly<Record<string, unknown>>;

/** Objects as the YAML that one would `kubectl apply`. */
export function toYaml(objects: readonly Manifest[]): string {
  return objects.map((object) => stringify(object)).join('---\n');
}

const metadata = (name: string, more: Manifest = {}): Manifest => ({ name, namespace: 'default', ...more });

/** A Service with an EndpointSlice for each of some ports of 127.0.0.1. */
export function localService(name: string, ports: readonly number[]): Manifest[] {
  const labels = { 'kubernetes.io/service-name': name };
  const slices = ports.map((port, i) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadata(`${name}-${i + 1}`, { labels }),
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'] }],
    ports: [{ name: '', port }],
  }));
  return [{ apiVersion: 'v1', kind: 'Service', metadata: metadata(name), spec: { ports: [{ port: 80 }] } }, ...slices];
}

/** The Service `upstream`, which a route has that names no other. */
export const upstreamService = (port: number): Manifest[] => localService('upstream', [port]);

/** A route to a Service, guarded by the plugin `key-auth`. */
export function guardedIngress(name: string, path: string, service = 'upstream'): Manifest {
  const backend = { service: { name: service, port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadata(name, { annotations: { 'konghq.com/plugins': 'key-auth' } }),
    spec: { ingressClassName: 'kong', rules: [{ http: { paths: [{ path, pathType: 'Prefix', backend }] } }] },
  };
}

export function keyAuthPlugin(state: 'enabled' | 'disabled' = 'enabled'): Manifest {
  return {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongPlugin',
    metadata: metadata('key-auth'),
    plugin: 'key-auth',
    ...(state === 'disabled' ? { disabled: true } : {}),
  };
}

/** A consumer whose one credential is the Secret of `keySecret`. */
export function consumer(name: string): Manifest {
  return {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongConsumer',
    metadata: metadata(name, { annotations: { 'kubernetes.io/ingress.class': 'kong' } }),
    username: name,
    credentials: [`${name}-key`],
  };
}

export function keySecret(consumerName: string, key: string): Manifest {
  const labels = { 'konghq.com/credential': 'key-auth' };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(`${consumerName}-key`, { labels }),
    stringData: { key },
  };
}
