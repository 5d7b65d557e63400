import { upstreamPolicyAnnotation } from '#resources/annotations.ts';
import { endpointSlice, serviceNameLabel } from '#resources/endpoint-slice.ts';
import { ingress } from '#resources/ingress.ts';
import { ingressClass } from '#resources/ingress-class.ts';
import { consumerId } from '#resources/ids.ts';
import type { Kind, KubernetesObject } from '#resources/kind.ts';
import { globalLabel, kongClusterPlugin, kongPlugin, secretsOf } from '#resources/kong-plugin.ts';
import { kongConsumer } from '#resources/kong-consumer.ts';
import { kongConsumerGroup } from '#resources/kong-consumer-group.ts';
import { pluginReferences } from '#resources/plugin-reference.ts';
import { flatText, refKey, type Ref } from '#resources/ref.ts';
import { referenceGrant } from '#resources/reference-grant.ts';
import { service } from '#resources/service.ts';

/** A way to find objects of one kind by something in them. */
export interface Index<T extends KubernetesObject = KubernetesObject> {
  readonly name: string;
  readonly kind: Kind<T>;
  keysOf(object: T, ref: Ref): readonly string[];
}

function defineIndex<T extends KubernetesObject>(
  name: string,
  kind: Kind<T>,
  keysOf: (object: T, ref: Ref) => readonly string[],
): Index<T> {
  return { name, kind, keysOf };
}

/** Key: username. */
export const consumersByUsername = defineIndex('consumers-by-username', kongConsumer, (consumer) =>
  consumer.username === undefined ? [] : [consumer.username],
);

/** Key: id, as `consumerId` makes it. */
export const consumersById = defineIndex('consumers-by-id', kongConsumer, (consumer, ref) => [
  consumerId(consumer, ref),
]);

/** Key: custom_id. */
export const consumersByCustomId = defineIndex('consumers-by-custom-id', kongConsumer, (consumer) =>
  consumer.custom_id === undefined ? [] : [consumer.custom_id],
);

/** Key: namespace/name of a Secret that the consumer lists. */
export const consumersBySecret = defineIndex('consumers-by-secret', kongConsumer, (consumer, ref) => [
  ...new Set((consumer.credentials ?? []).map((name) => flatText(ref.namespace, '/', name))),
]);

/** Key: namespace/name of the Service that the slice belongs to. */
export const slicesByService = defineIndex('slices-by-service', endpointSlice, (slice, ref) => {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name === undefined ? [] : [`${ref.namespace}/${name}`];
});

/** Key: namespace/name of a Service that the Ingress has as a backend. */
export const ingressesByService = defineIndex('ingresses-by-service', ingress, ({ spec }, ref) => {
  const paths = (spec?.rules ?? []).flatMap((rule) => rule.http?.paths ?? []);
  const backends = [spec?.defaultBackend, ...paths.map((path) => path.backend)];
  const names = backends.flatMap((backend) => (backend?.service === undefined ? [] : [backend.service.name]));
  return [...new Set(names)].map((name) => `${ref.namespace}/${name}`);
});
/** Key: namespace/name of a Secret that the Ingress takes a certificate from. */
export const ingressesByCertificate = defineIndex('ingresses-by-certificate', ingress, (object, ref) => [
  ...new Set(
    (object.spec?.tls ?? []).flatMap(({ secretName }) => (secretName ? [`${ref.namespace}/${secretName}`] : [])),
  ),
]);

/** Key: namespace/name of the KongUpstreamPolicy that the Service names. */
export const servicesByUpstreamPolicy = defineIndex('services-by-upstream-policy', service, (object, ref) => {
  const name = object.metadata.annotations?.[upstreamPolicyAnnotation] ?? '';
  return name === '' ? [] : [`${ref.namespace}/${name}`];
});

/**
 * The keys (`refKey`) of the plugins that the names in `konghq.com/plugins` may mean; a KongClusterPlugin once more
 * with the namespace of who names it.
 */
function namedPlugins(object: KubernetesObject, { namespace: own }: Ref): string[] {
  const keys = pluginReferences(object).flatMap(({ name, namespace }) => {
    if (name === undefined) return [];
    const inNamespace = refKey({ kind: kongPlugin.kind, namespace: namespace ?? own, name });
    if (namespace !== undefined) return [inNamespace];
    return [inNamespace, ...['', own].map((from) => refKey({ kind: kongClusterPlugin.kind, namespace: from, name }))];
  });
  return [...new Set(keys)];
}

export const ingressesByPlugin = defineIndex('ingresses-by-plugin', ingress, namedPlugins);
export const servicesByPlugin = defineIndex('services-by-plugin', service, namedPlugins);
export const consumersByPlugin = defineIndex('consumers-by-plugin', kongConsumer, namedPlugins);
export const groupsByPlugin = defineIndex('groups-by-plugin', kongConsumerGroup, namedPlugins);

/** Key: namespace/name of a Secret that the plugin takes values from. */
export const pluginsBySecret = defineIndex('plugins-by-secret', kongPlugin, (plugin, { namespace }) => [
  ...new Set(secretsOf(plugin, namespace)),
]);
export const clusterPluginsBySecret = defineIndex('cluster-plugins-by-secret', kongClusterPlugin, (plugin) => [
  ...new Set(secretsOf(plugin, '')),
]);

/**
 * Key: `<group>/<kind>/<namespace>` of those who may refer, `>`, and of what `<group>/<kind>/<namespace>/<name>`,
 * with an empty name for all.
 */
export const grantedReferences = defineIndex('granted-references', referenceGrant, ({ spec }, { namespace }) => {
  const what = spec.to.map((to) => `${to.group}/${to.kind}/${namespace}/${to.name ?? ''}`);
  const who = spec.from.map((from) => `${from.group}/${from.kind}/${from.namespace}`);
  return [...new Set(who.flatMap((one) => what.map((other) => `${one}>${other}`)))];
});

/** One key, '': the KongClusterPlugins that apply to every route. */
export const globalPlugins = defineIndex('global-plugins', kongClusterPlugin, (plugin) =>
  plugin.metadata.labels?.[globalLabel] === 'true' ? [''] : [],
);

/** Key: name of an IngressClass that is the cluster's default. */
export const defaultIngressClasses = defineIndex('default-ingress-classes', ingressClass, (object) =>
  object.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true' ? [object.metadata.name] : [],
);

export const allIndexes: readonly Index[] = [
  consumersByUsername,
  consumersById,
  consumersByCustomId,
  consumersBySecret,
  slicesByService,
  ingressesByService,
  ingressesByCertificate,
  servicesByUpstreamPolicy,
  ingressesByPlugin,
  servicesByPlugin,
  consumersByPlugin,
  groupsByPlugin,
  pluginsBySecret,
  clusterPluginsBySecret,
  grantedReferences,
  globalPlugins,
  defaultIngressClasses,
];
