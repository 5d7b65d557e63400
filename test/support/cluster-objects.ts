/** Objects as one would `kubectl apply` them, for tests on a real API server. */

export const inDefault = (name: string, more: object = {}) => ({ name, namespace: 'default', ...more });

export const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: inDefault('echo'),
  spec: { ports: [{ name: 'http', port: 80 }] },
};

export const slice = (addresses: readonly string[], port: number) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: inDefault('echo-1', { labels: { 'kubernetes.io/service-name': 'echo' } }),
  addressType: 'IPv4',
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  ports: [{ name: 'http', port, protocol: 'TCP' }],
});

export const ingress = (name: string, path: string, annotations: object = {}) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: inDefault(name, { annotations }),
  spec: {
    ingressClassName: 'kong',
    rules: [
      {
        http: { paths: [{ path, pathType: 'Prefix', backend: { service: { name: 'echo', port: { name: 'http' } } } }] },
      },
    ],
  },
});

export const keyAuth = (name: string) => ({
  apiVersion: 'configuration.konghq.com/v1',
  kind: 'KongPlugin',
  metadata: inDefault(name),
  plugin: 'key-auth',
});

export const secret = (name: string, key: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: inDefault(name, { labels: { 'konghq.com/credential': 'key-auth' } }),
  stringData: { key },
});

export const consumer = (name: string, credentials: readonly string[]) => ({
  apiVersion: 'configuration.konghq.com/v1',
  kind: 'KongConsumer',
  metadata: inDefault(name, { annotations: { 'kubernetes.io/ingress.class': 'kong' } }),
  username: name,
  credentials,
});

/** A route that is open, one that wants a key, and Alice, who has one. */
export const openAndGuarded: readonly object[] = [
  keyAuth('auth'),
  ingress('open', '/open'),
  ingress('guarded', '/guarded', { 'konghq.com/plugins': 'auth' }),
  secret('alice-key', 'alices-key'),
  consumer('alice', ['alice-key']),
];
