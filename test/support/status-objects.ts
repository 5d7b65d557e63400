/** Objects, refs and problems for tests of what is told on objects. */
import { apiVersionOf, type KubernetesObject } from '#resources/kind.ts';
import { kindNamed } from '#resources/all-kinds.ts';
import type { Ref } from '#resources/ref.ts';
import type { Problem } from '#resources/verdict.ts';

const fieldsOf: Readonly<Record<string, object>> = {
  KongConsumer: { username: 'alice', credentials: ['alice-key'] },
  KongPlugin: { plugin: 'key-auth', config: {} },
  KongClusterPlugin: { plugin: 'key-auth', config: {} },
  Ingress: { spec: { ingressClassName: 'kong', defaultBackend: { service: { name: 'echo', port: { number: 80 } } } } },
  Secret: { stringData: { key: 'not-listed' } },
};

export const refIn = (namespace: string, kind: string, name: string): Ref => ({
  kind,
  namespace: kindNamed(kind).scope === 'Cluster' ? '' : namespace,
  name,
});

/** An object that the API server takes. */
export function objectFor({ kind, namespace, name }: Ref): KubernetesObject {
  const annotations = { 'kubernetes.io/ingress.class': 'kong' };
  return {
    apiVersion: apiVersionOf(kindNamed(kind)),
    kind,
    metadata: { name, annotations, ...(namespace === '' ? {} : { namespace }) },
    ...fieldsOf[kind],
  };
}

/** A problem that keeps one credential of a consumer out. */
export function noSecret(namespace: string, name: string): Problem {
  return {
    reason: 'SecretNotFound',
    field: 'credentials[0]',
    about: { kind: 'Secret', namespace, name },
    message: `credentials[0]: Secret ${namespace}/${name} does not exist`,
    effect: 'credential not in force',
  };
}

/** A problem that keeps a plugin out. */
export function badConfig(message = 'config.key_names: expected an array'): Problem {
  return { reason: 'InvalidConfig', field: 'config.key_names', message, effect: 'plugin not in force' };
}

/** A problem that keeps nothing out. */
export const ignored: Problem = {
  reason: 'NotSupported',
  field: 'consumerGroups',
  message: 'consumerGroups: is not supported yet',
  effect: 'field ignored',
};

/** A Service as the API server has it, with the addresses that a load balancer gave it. */
export function serviceObject(spec: object, given: readonly object[] = []): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'proxy', namespace: 'default' },
    spec,
    status: { loadBalancer: { ingress: given } },
  };
}
