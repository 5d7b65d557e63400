/** A thousand good objects and a hundred that are broken, each in a way that an API server lets through. */
import type { KubernetesObject } from '#resources/kind.ts';
import type { Reason } from '#resources/reasons.ts';
import { consumer, inDefault, ingress, keyAuth, secret } from './cluster-objects.ts';

/** How often each way of being broken occurs. */
const times = 5;

const asObject = (object: object): KubernetesObject => object as KubernetesObject;

/** Good objects, as many of each: a route that is open, a route that wants a key, a Secret, its consumer. */
export function goodObjects(count: number): KubernetesObject[] {
  return Array.from({ length: count }, (_, i) => [
    ingress(`good-${i}`, `/good-${i}`),
    ingress(`guarded-${i}`, `/guarded-${i}`, { 'konghq.com/plugins': 'auth' }),
    secret(`good-key-${i}`, `good-key-${i}`),
    consumer(`good-${i}`, [`good-key-${i}`]),
  ])
    .flat()
    .map(asObject);
}

/** An object that is broken, and the reason that it is to tell. */
export interface Broken {
  readonly object: KubernetesObject;
  readonly reason: Reason;
}

type Way = readonly [reason: Reason, make: (name: string) => object];

const annotated = (annotations: object) => (name: string) => ingress(name, `/${name}`, annotations);

const toBackend = (backend: object) => (name: string) => {
  const [path] = ingress(name, `/${name}`).spec.rules[0]?.http.paths ?? [];
  const rules = [{ http: { paths: [{ ...path, backend }] } }];
  return { ...ingress(name, ''), spec: { ingressClassName: 'kong', rules } };
};

const plugin = (fields: object) => (name: string) => ({ ...keyAuth(name), ...fields });

const clusterPlugin = (fields: object) => (name: string) => ({
  ...keyAuth(name),
  kind: 'KongClusterPlugin',
  metadata: { name, annotations: { 'kubernetes.io/ingress.class': 'kong' } },
  ...fields,
});

const consumerWith = (fields: object) => (name: string) => ({ ...consumer(name, []), ...fields });

/** Every kind that people write, and many ways. The Secrets that they name are `credentialSecrets`. */
const ways: readonly Way[] = [
  ['ServiceNotFound', toBackend({ service: { name: 'nowhere', port: { number: 80 } } })],
  ['ServicePortNotFound', toBackend({ service: { name: 'echo', port: { number: 81 } } })],
  ['NotSupported', toBackend({ resource: { apiGroup: 'example.com', kind: 'Bucket', name: 'b' } })],
  ['PluginNotFound', annotated({ 'konghq.com/plugins': 'nowhere' })],
  ['ReferenceNotGranted', annotated({ 'konghq.com/plugins': 'other-namespace:auth' })],
  ['InvalidAnnotation', annotated({ 'konghq.com/strip-path': 'perhaps' })],
  ['InvalidAnnotation', annotated({ 'konghq.com/methods': 'G3T' })],
  ['Conflict', (name) => ingress(name, '/good-0')],
  ['SecretNotFound', consumerWith({ credentials: ['nowhere'] })],
  ['UnsupportedCredentialType', consumerWith({ credentials: ['of-no-type'] })],
  ['InvalidCredential', consumerWith({ credentials: ['without-key'] })],
  ['InvalidCredential', consumerWith({ credentials: ['with-empty-key'] })],
  ['Conflict', consumerWith({ credentials: ['with-taken-key'] })],
  ['Conflict', consumerWith({ username: 'good-0' })],
  ['InvalidObject', consumerWith({ username: '' })],
  ['UnknownPlugin', plugin({ plugin: 'no-such-plugin' })],
  ['InvalidConfig', plugin({ config: { key_name: ['x'] } })],
  ['InvalidConfig', plugin({ config: { key_names: 7 } })],
  ['AnonymousConsumerNotFound', plugin({ config: { anonymous: 'nobody' } })],
  ['InvalidConfig', clusterPlugin({ config: { hide_credentials: 'perhaps' } })],
];

/** What the broken consumers name; the API server takes them all. */
export const credentialSecrets: readonly KubernetesObject[] = [
  {
    ...secret('of-no-type', 'x'),
    metadata: inDefault('of-no-type', { labels: { 'konghq.com/credential': 'no-such-type' } }),
  },
  { ...secret('without-key', 'x'), stringData: { password: 'x' } },
  secret('with-empty-key', ''),
  secret('with-taken-key', 'good-key-0'),
].map(asObject);

/** Every way, five times. */
export const brokenObjects: readonly Broken[] = ways.flatMap(([reason, make], way) =>
  Array.from({ length: times }, (_, i) => ({ reason, object: asObject(make(`broken-${way}-${i}`)) })),
);
