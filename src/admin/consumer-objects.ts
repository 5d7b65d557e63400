import { classAnnotation } from '#resources/annotations.ts';
import { apiVersionOf, type KubernetesObject } from '#resources/kind.ts';
import { kongConsumer, type KongConsumer } from '#resources/kong-consumer.ts';
import type { Backend } from './backend.ts';
import type { ConsumerFields } from './consumer-arguments.ts';
import { updatedAnnotation } from './entity.ts';
import { objectName } from './object-name.ts';

/** The KongConsumer of a new consumer, named after it as closely as Kubernetes allows. */
export function newConsumer(backend: Backend, fields: ConsumerFields): KubernetesObject {
  const { username, custom_id: customId, tags } = fields;
  const { namespace } = backend;
  const isTaken = (name: string): boolean =>
    backend.store.find({ kind: kongConsumer.kind, namespace, name }) !== undefined;
  return {
    apiVersion: apiVersionOf(kongConsumer),
    kind: kongConsumer.kind,
    metadata: {
      name: objectName(username ?? customId ?? '', isTaken),
      namespace,
      creationTimestamp: backend.now().toISOString(),
      annotations: { [classAnnotation]: backend.ingressClass },
    },
    ...(username === undefined ? {} : { username }),
    ...(customId === undefined ? {} : { custom_id: customId }),
    ...(tags === undefined ? {} : { spec: { tags } }),
  };
}

/** The consumer with other fields, all else as it is. */
export function changedConsumer(current: KongConsumer, fields: ConsumerFields, now: Date): KubernetesObject {
  const { username: _, custom_id: __, spec, ...rest } = current;
  const annotations = { ...current.metadata.annotations, [updatedAnnotation]: now.toISOString() };
  const { tags: ___, ...otherSpec } = spec ?? {};
  const wantedSpec = fields.tags === undefined ? otherSpec : { ...otherSpec, tags: fields.tags };
  return {
    ...(rest as KubernetesObject),
    metadata: { ...current.metadata, annotations },
    ...(fields.username === undefined ? {} : { username: fields.username }),
    ...(fields.custom_id === undefined ? {} : { custom_id: fields.custom_id }),
    ...(Object.keys(wantedSpec).length === 0 ? {} : { spec: wantedSpec }),
  };
}

/** The consumer with another list of credentials; one that is empty is left out. */
export function withCredentials(current: KongConsumer, change: (names: readonly string[]) => string[]) {
  const { credentials: before, ...rest } = current;
  const credentials = change(Array.isArray(before) ? before : []);
  return (credentials.length === 0 ? rest : { ...rest, credentials }) as KubernetesObject;
}
