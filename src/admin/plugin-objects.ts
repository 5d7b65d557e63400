import { pluginsAnnotation } from '#resources/annotations.ts';
import type { Ingress } from '#resources/ingress.ts';
import { apiVersionOf, type KubernetesObject } from '#resources/kind.ts';
import { kongClusterPlugin, kongPlugin, type KongPlugin } from '#resources/kong-plugin.ts';
import type { Backend } from './backend.ts';
import { updatedAnnotation } from './entity.ts';
import { namespaceOf } from './look-up.ts';
import { objectName } from './object-name.ts';
import type { PluginFields } from './plugin-arguments.ts';

/** What is stated of a plugin, with as little written as says it. */
function statedFields({ config, enabled, instanceName }: PluginFields): Record<string, unknown> {
  return {
    ...(Object.keys(config).length === 0 ? {} : { config }),
    ...(enabled ? {} : { disabled: true }),
    ...(instanceName === undefined ? {} : { instance_name: instanceName }),
  };
}

/** The KongPlugin `<ingress>-<plugin>`, beside the Ingress that it is for. */
export function newPlugin(backend: Backend, route: Ingress, fields: PluginFields): KubernetesObject {
  const namespace = namespaceOf(route);
  // A KongPlugin hides the KongClusterPlugin of its name, which others may mean.
  const isTaken = (name: string): boolean =>
    backend.store.find({ kind: kongPlugin.kind, namespace, name }) !== undefined ||
    backend.store.find({ kind: kongClusterPlugin.kind, namespace: '', name }) !== undefined;
  return {
    apiVersion: apiVersionOf(kongPlugin),
    kind: kongPlugin.kind,
    metadata: {
      name: objectName(`${route.metadata.name}-${fields.name}`, isTaken),
      namespace,
      creationTimestamp: backend.now().toISOString(),
    },
    plugin: fields.name,
    ...statedFields(fields),
  };
}

/** The plugin with other fields, all else as it is. */
export function changedPlugin(current: KongPlugin, fields: PluginFields, now: Date): KubernetesObject {
  const { config: _, disabled: __, instance_name: ___, ...rest } = current;
  const annotations = { ...current.metadata.annotations, [updatedAnnotation]: now.toISOString() };
  return { ...(rest as KubernetesObject), metadata: { ...current.metadata, annotations }, ...statedFields(fields) };
}

function withAnnotation(object: KubernetesObject, text: string): KubernetesObject {
  const { annotations: before, ...metadata } = object.metadata;
  const { [pluginsAnnotation]: _, ...others } = before ?? {};
  const annotations = text === '' ? others : { ...before, [pluginsAnnotation]: text };
  const isEmpty = Object.keys(annotations).length === 0;
  return { ...object, metadata: isEmpty ? metadata : { ...metadata, annotations } };
}

const annotationOf = (object: KubernetesObject): string => object.metadata.annotations?.[pluginsAnnotation] ?? '';

/** The object with one more plugin in its annotation; what stands there stays as it was written. */
export function withPlugin(object: KubernetesObject, name: string): KubernetesObject {
  const before = annotationOf(object).replace(/[\s,]+$/, '');
  if (before.split(',').some((item) => item.trim() === name)) return object;
  return withAnnotation(object, before === '' ? name : `${before}, ${name}`);
}

/** The object without a plugin in its annotation, which goes when nothing else stands there. */
export function withoutPlugin(object: KubernetesObject, name: string): KubernetesObject {
  const items = annotationOf(object).split(',');
  return withAnnotation(
    object,
    items
      .filter((item) => item.trim() !== name)
      .join(',')
      .trim(),
  );
}
