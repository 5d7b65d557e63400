/**
 * Kubernetes objects as the entities that Kong's Admin API shows (kong-facts 3.6). Every nullable field is
 * there, as null.
 *
 *   KongConsumer ↔ consumer     KongPlugin ↔ plugin     Secret ↔ credential     Ingress ↔ route
 */
import type { Ingress } from '#resources/ingress.ts';
import { consumerId, uidFromRef } from '#resources/ids.ts';
import { refOf, type Kind, type KubernetesObject } from '#resources/kind.ts';
import { ingress } from '#resources/ingress.ts';
import { kongConsumer, type KongConsumer } from '#resources/kong-consumer.ts';
import type { KongPlugin } from '#resources/kong-plugin.ts';
import { pluginSchemas, withDefaults } from '#plugins/schemas.ts';
import { annotatedRouteFields, hostAliases, tagsOf } from './annotated-fields.ts';

/** When the Admin API last wrote the object; Kubernetes itself keeps no such time. */
export const updatedAnnotation = 'latchkey.dev/updated-at';

/** Seconds since the epoch, or null if there is no time that can be read. */
export function seconds(text: string | null | undefined): number | null {
  const milliseconds = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(milliseconds) ? null : Math.floor(milliseconds / 1000);
}

function times({ metadata }: KubernetesObject): {
  readonly created_at: number | null;
  readonly updated_at: number | null;
} {
  const created = seconds(metadata.creationTimestamp);
  return { created_at: created, updated_at: seconds(metadata.annotations?.[updatedAnnotation]) ?? created };
}

/** The id of an object that is not a consumer: its uid. */
export function idOf(kind: Kind, object: KubernetesObject): string {
  return object.metadata.uid ?? uidFromRef(refOf(kind, object));
}

export function consumerEntity(object: KongConsumer) {
  return {
    id: consumerId(object, refOf(kongConsumer, object)),
    ...times(object),
    username: object.username ?? null,
    custom_id: object.custom_id ?? null,
    tags: tagsOf(object, object.spec?.tags),
  };
}

/** A key-auth credential; `key` is shown, so it is read from the source for the occasion. */
export function credentialEntity(credential: {
  readonly id: string;
  readonly createdAt: number | null;
  readonly consumerId: string;
  /** Null: the Secret holds none that can be read, and the credential is not in force. */
  readonly key: string | null;
  readonly ttl: number | null;
  /** Seconds since the epoch, which Kong does not know; absent where it is not noted, null before the first use. */
  readonly lastUsedAt?: number | null;
}) {
  const { id, createdAt, key, ttl, lastUsedAt } = credential;
  const shown = { id, created_at: createdAt, consumer: { id: credential.consumerId }, key, tags: null, ttl };
  return lastUsedAt === undefined ? shown : { ...shown, last_used_at: lastUsedAt };
}

/** What a plugin is for unless it says otherwise (kong-facts 1.1). */
export const defaultProtocols = ['grpc', 'grpcs', 'http', 'https'];

/** The config with every field of the schema, absent ones as null. */
function fullConfig(object: KongPlugin): Record<string, unknown> {
  const schema = pluginSchemas.get(object.plugin);
  const config = object.config ?? {};
  if (schema === undefined) return config;
  const filled = withDefaults(schema, config) as Record<string, unknown>;
  return Object.fromEntries(Object.keys(schema.config.properties).map((name) => [name, filled[name] ?? null]));
}

/** What a plugin is attached to: ids, of which at most one is there. */
export interface PluginScope {
  readonly routeId?: string | undefined;
  readonly serviceId?: string | undefined;
}

const reference = (id: string | undefined) => (id === undefined ? null : { id });

export function pluginEntity(object: KongPlugin, id: string, scope: PluginScope) {
  return {
    id,
    name: object.plugin,
    instance_name: object.instance_name ?? null,
    ...times(object),
    route: reference(scope.routeId),
    service: reference(scope.serviceId),
    consumer: null,
    config: fullConfig(object),
    protocols: object.protocols ?? defaultProtocols,
    enabled: object.disabled !== true,
    tags: tagsOf(object),
  };
}

/** An Ingress as one route; its rules' hosts and paths are listed together. */
export function routeEntity(object: Ingress, serviceId: string | undefined) {
  const rules = object.spec?.rules ?? [];
  const named = rules.flatMap(({ host }) => (host === undefined || host === '' ? [] : [host]));
  const hosts = [...new Set([...named, ...hostAliases(object)])];
  const paths = [...new Set(rules.flatMap(({ http }) => (http?.paths ?? []).map(({ path }) => path ?? '/')))];
  return {
    id: idOf(ingress, object),
    ...times(object),
    name: object.metadata.name,
    ...annotatedRouteFields(object),
    service: reference(serviceId),
    sources: null,
    destinations: null,
    hosts: hosts.length === 0 ? null : hosts,
    paths: paths.length === 0 ? null : paths,
  };
}
