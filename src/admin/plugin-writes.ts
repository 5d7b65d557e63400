import { ingress, type Ingress } from '#resources/ingress.ts';
import { formatRef } from '#resources/ref.ts';
import { refOf } from '#resources/kind.ts';
import { kongPlugin } from '#resources/kong-plugin.ts';
import { service } from '#resources/service.ts';
import {
  attachedPlugins,
  findPlugin,
  pluginId,
  pluginsOf,
  type AttachedPlugin,
  type NamedPlugin,
} from './attached-plugins.ts';
import type { Backend } from './backend.ts';
import { change, changeIfThere, creation, deletion } from './edits.ts';
import { idOf } from './entity.ts';
import { conflict, schemaViolation, uniqueViolation } from './errors.ts';
import { namespaceOf } from './look-up.ts';
import type { PluginFields } from './plugin-arguments.ts';
import { changedPlugin, newPlugin, withoutPlugin, withPlugin } from './plugin-objects.ts';

/** @throws AdminError 409 if another plugin has the instance name already, which is its second key */
function assertInstanceName(backend: Backend, { instanceName }: PluginFields, self: NamedPlugin | undefined): void {
  if (instanceName === undefined) return;
  const other = attachedPlugins(backend).find(({ object }) => object.instance_name === instanceName);
  const isOther = other !== undefined && (self === undefined || pluginId(other) !== pluginId(self));
  if (isOther) throw uniqueViolation({ instance_name: instanceName });
}

/**
 * Makes a KongPlugin and names it in the annotation of the Ingress, as one write.
 *
 * @throws AdminError 409 if the route has a plugin of that type already
 */
export async function createPlugin(backend: Backend, route: Ingress, fields: PluginFields): Promise<NamedPlugin> {
  if (pluginsOf(backend, route).some(({ object }) => object.plugin === fields.name)) {
    throw uniqueViolation({ consumer: null, name: fields.name, route: { id: idOf(ingress, route) }, service: null });
  }
  assertInstanceName(backend, fields, undefined);
  const object = newPlugin(backend, route, fields);
  const { name } = object.metadata;
  await backend.write([creation(kongPlugin, object), change(ingress, route, (current) => withPlugin(current, name))]);
  return readBack(backend, kongPlugin, namespaceOf(route), name);
}

/** What was written, as everybody else now sees it. */
function readBack(backend: Backend, kind: NamedPlugin['kind'], namespace: string, name: string): NamedPlugin {
  const object = backend.store.get(kind, namespace, name);
  if (object === undefined) throw conflict(`${kind.kind} ${name} was changed by somebody else meanwhile`);
  return { kind, object };
}

/** Changes a plugin wherever it is attached. */
export async function changePlugin(backend: Backend, plugin: NamedPlugin, fields: PluginFields): Promise<NamedPlugin> {
  const { kind, object } = plugin;
  if (object.configFrom !== undefined && Object.keys(fields.config).length > 0) {
    throw schemaViolation({ config: 'is read from the Secret that configFrom of the object names' });
  }
  assertInstanceName(backend, fields, plugin);
  await backend.write([change(kind, object, (current) => changedPlugin(current, fields, backend.now()))]);
  const { namespace, name } = refOf(kind, object);
  return readBack(backend, kind, namespace, name);
}

/** Deletes a plugin and takes its name out of everything that refers to it: no route is left broken. */
export async function removePlugin(backend: Backend, { kind, object, routes, services }: AttachedPlugin) {
  const { name } = object.metadata;
  await backend.write([
    ...routes.map((route) => changeIfThere(ingress, route, (current) => withoutPlugin(current, name))),
    ...services.map((other) => changeIfThere(service, other, (current) => withoutPlugin(current, name))),
    deletion(kind, object),
  ]);
}

/** What else a plugin of a route is attached to; also whatever may name a KongClusterPlugin tomorrow. */
function othersOf(backend: Backend, route: Ingress, plugin: NamedPlugin): string[] {
  const attached = findPlugin(attachedPlugins(backend), pluginId(plugin));
  const routes = (attached?.routes ?? []).filter((other) => idOf(ingress, other) !== idOf(ingress, route));
  return [
    ...routes.map((other) => formatRef(refOf(ingress, other))),
    ...(attached?.services ?? []).map((other) => formatRef(refOf(service, other))),
    ...(plugin.kind.kind === kongPlugin.kind ? [] : ['the whole cluster']),
  ];
}

/** Takes a plugin off a route. The object goes with it unless others are protected by it too. */
export async function detachPlugin(backend: Backend, route: Ingress, plugin: NamedPlugin): Promise<void> {
  const { kind, object } = plugin;
  const isShared = othersOf(backend, route, plugin).length > 0;
  await backend.write([
    changeIfThere(ingress, route, (current) => withoutPlugin(current, object.metadata.name)),
    ...(isShared ? [] : [deletion(kind, object)]),
  ]);
}

/**
 * In Kong a plugin belongs to one route; a KongPlugin may stand on several. Whoever changes it by way of
 * one route must not open the others unawares.
 *
 * @throws AdminError 409 that says what else it is attached to
 */
export function assertOnlyOn(backend: Backend, route: Ingress, plugin: NamedPlugin): void {
  const others = othersOf(backend, route, plugin);
  if (others.length === 0) return;
  const what = formatRef(refOf(plugin.kind, plugin.object));
  throw conflict(`${what} is attached to ${others.join(', ')} too: change it for all at /plugins/${pluginId(plugin)}`);
}
