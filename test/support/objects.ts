import type { KubernetesObject } from '#resources/kind.ts';

/** Builders of objects for tests that need many of them; what a single test needs stands in a case folder. */

const metadata = (name: string, created?: string, more: object = {}) => ({
  name,
  namespace: 'default',
  ...(created === undefined ? {} : { creationTimestamp: created }),
  ...more,
});

const naming = (plugins: readonly string[]): object =>
  plugins.length === 0 ? {} : { annotations: { 'konghq.com/plugins': plugins.join(', ') } };

export interface IngressFields {
  readonly name: string;
  readonly path: string;
  readonly service: string;
  readonly plugins: readonly string[];
  readonly created: string | undefined;
  /** Whether a field has the wrong type, so that the object fails its schema. */
  readonly isBroken: boolean;
}

export function ingress({ name, path, service: backend, plugins, created, isBroken }: IngressFields): KubernetesObject {
  const port = { number: isBroken ? '80' : 80 };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadata(name, created, naming(plugins)),
    spec: {
      ingressClassName: 'kong',
      rules: [{ http: { paths: [{ path, pathType: 'Prefix', backend: { service: { name: backend, port } } }] } }],
    },
  };
}

export interface PluginFields {
  readonly name: string;
  readonly type: string;
  readonly config: object;
  readonly isDisabled: boolean;
  /** A KongClusterPlugin with the label `global`. */
  readonly isGlobal: boolean;
}

export function plugin({ name, type, config, isDisabled, isGlobal }: PluginFields): KubernetesObject {
  const global = { labels: { global: 'true' }, annotations: { 'kubernetes.io/ingress.class': 'kong' } };
  return {
    apiVersion: 'configuration.konghq.com/v1',
    kind: isGlobal ? 'KongClusterPlugin' : 'KongPlugin',
    metadata: isGlobal ? { name, ...global } : metadata(name),
    plugin: type,
    config,
    disabled: isDisabled,
  };
}

export interface ConsumerFields {
  readonly name: string;
  readonly username: string | undefined;
  readonly credentials: readonly string[];
  readonly created: string | undefined;
  readonly class: string | undefined;
}

export function consumer({
  name,
  username,
  credentials,
  created,
  class: ingressClass,
}: ConsumerFields): KubernetesObject {
  const annotations =
    ingressClass === undefined ? {} : { annotations: { 'kubernetes.io/ingress.class': ingressClass } };
  return {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongConsumer',
    metadata: metadata(name, created, annotations),
    ...(username === undefined ? {} : { username }),
    credentials,
  };
}

export interface SecretFields {
  readonly name: string;
  readonly digest: string | undefined;
  readonly label: string | undefined;
  readonly created: string | undefined;
}

/** A credential Secret as the store has it. */
export function sealedSecret({ name, digest, label, created }: SecretFields): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(name, created, label === undefined ? {} : { labels: { 'konghq.com/credential': label } }),
    sealed: {
      key:
        digest === undefined
          ? { fault: 'is missing' }
          : { digest: Buffer.from(digest.padEnd(16, '.')).toString('base64url') },
    },
  };
}

/** A credential Secret as a user writes it. */
export function keySecret(name: string, key: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(name, undefined, { labels: { 'konghq.com/credential': 'key-auth' } }),
    stringData: { key },
  };
}

export interface ServiceFields {
  readonly name: string;
  readonly port: number;
  readonly plugins: readonly string[];
}

export function service({ name, port, plugins }: ServiceFields): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(name, undefined, naming(plugins)),
    spec: { ports: [{ port }] },
  };
}

export interface SliceFields {
  readonly name: string;
  readonly service: string;
  readonly address: string;
  /** 8080 when absent. */
  readonly port?: number;
}

export function slice({ name, service: owner, address, port = 8080 }: SliceFields): KubernetesObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadata(name, undefined, { labels: { 'kubernetes.io/service-name': owner } }),
    addressType: 'IPv4',
    endpoints: [{ addresses: [address] }],
    ports: [{ port }],
  };
}
