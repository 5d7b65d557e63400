/**
 * CRDs like those that Kong's controller brings (kong-facts 4.1): the same fields, statuses and pruning,
 * without rules and descriptions. They are written from the facts and not from our kinds, so that a field
 * that we forgot is missed.
 */
type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const number: Schema = { type: 'integer' };
const list = (items: Schema): Schema => ({ type: 'array', items });
const set: Schema = { ...list(text), 'x-kubernetes-list-type': 'set' };
const object = (properties: Schema): Schema => ({ type: 'object', properties });
const mapOf = (values: Schema): Schema => ({ type: 'object', additionalProperties: values });

const conditions: Schema = {
  ...list({
    ...object({
      type: text,
      status: text,
      reason: text,
      message: text,
      lastTransitionTime: { type: 'string', format: 'date-time' },
      observedGeneration: number,
    }),
    required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
  }),
  maxItems: 8,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
};
const konnect = object({ id: text, serverURL: text, organizationID: text, controlPlaneID: text });
const status = object({ conditions, konnect });

const controlPlaneRef = object({
  type: { type: 'string', enum: ['konnectID', 'konnectNamespacedRef', 'kic'], default: 'kic' },
  konnectID: text,
  konnectNamespacedRef: { ...object({ name: text, namespace: text }), required: ['name'] },
});

const plugin = (secretKeyRef: Schema): Schema => ({
  plugin: text,
  config: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  configFrom: object({ secretKeyRef }),
  configPatches: list(object({ path: text, valueFrom: object({ secretKeyRef }) })),
  disabled: flag,
  protocols: list(text),
  run_on: text,
  ordering: object({ before: mapOf(list(text)), after: mapOf(list(text)) }),
  instance_name: text,
  consumerRef: text,
  status: object({ conditions }),
});

const hash = object({ input: text, header: text, cookie: text, cookiePath: text, queryArg: text, uriCapture: text });
const healthy = object({ httpStatuses: list(number), interval: number, successes: number });
const unhealthy = object({
  httpFailures: number,
  httpStatuses: list(number),
  interval: number,
  tcpFailures: number,
  timeouts: number,
});
const policy = object({
  algorithm: text,
  slots: number,
  hashOn: hash,
  hashOnFallback: hash,
  healthchecks: object({
    threshold: number,
    active: object({
      type: text,
      concurrency: number,
      headers: mapOf(list(text)),
      httpPath: text,
      httpsSni: text,
      httpsVerifyCertificate: flag,
      timeout: number,
      healthy,
      unhealthy,
    }),
    passive: object({ type: text, healthy, unhealthy }),
  }),
  stickySessions: object({ cookie: text, cookiePath: { type: 'string', default: '/' } }),
});
const ancestors = list(
  object({
    ancestorRef: object({ group: text, kind: text, namespace: text, name: text, sectionName: text, port: number }),
    controllerName: text,
    conditions,
  }),
);

interface Names {
  readonly kind: string;
  readonly version: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly scope?: 'Cluster';
}

function definition({ kind, version, plural, shortNames, scope }: Names, properties: Schema) {
  const group = 'configuration.konghq.com';
  const own = { apiVersion: text, kind: text, metadata: { type: 'object' } };
  const names = { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      annotations: { 'kubernetes-configuration.konghq.com/channels': 'ingress-controller' },
    },
    spec: {
      group,
      names:
        shortNames === undefined ? names : { ...names, shortNames, categories: ['kong-ingress-controller', 'kong'] },
      scope: scope ?? 'Namespaced',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: object({ ...own, ...properties }) },
          ...('status' in properties ? { subresources: { status: {} } } : {}),
        },
      ],
    },
  };
}

export const kongDefinitions: readonly object[] = [
  definition(
    { kind: 'KongConsumer', version: 'v1', plural: 'kongconsumers', shortNames: ['kc'] },
    {
      username: text,
      custom_id: text,
      credentials: set,
      consumerGroups: set,
      spec: object({ controlPlaneRef, tags: list(text) }),
      status,
    },
  ),
  definition(
    { kind: 'KongConsumerGroup', version: 'v1beta1', plural: 'kongconsumergroups', shortNames: ['kcg'] },
    { spec: object({ controlPlaneRef, tags: list(text), name: text }), status },
  ),
  definition(
    { kind: 'KongPlugin', version: 'v1', plural: 'kongplugins', shortNames: ['kp'] },
    plugin(object({ name: text, key: text })),
  ),
  definition(
    { kind: 'KongClusterPlugin', version: 'v1', plural: 'kongclusterplugins', shortNames: ['kcp'], scope: 'Cluster' },
    plugin(object({ name: text, key: text, namespace: text })),
  ),
  definition(
    { kind: 'KongUpstreamPolicy', version: 'v1beta1', plural: 'kongupstreampolicies', shortNames: ['kup'] },
    { spec: policy, status: object({ ancestors }) },
  ),
  definition(
    { kind: 'IngressClassParameters', version: 'v1alpha1', plural: 'ingressclassparameterses' },
    { spec: object({ serviceUpstream: flag, enableLegacyRegexDetection: flag }) },
  ),
];
