import { pluginsAnnotation } from '#resources/annotations.ts';
import { ingress, type Ingress } from '#resources/ingress.ts';
import { apiVersionOf, refOf, type KubernetesObject } from '#resources/kind.ts';
import { kongPlugin, type KongPlugin } from '#resources/kong-plugin.ts';
import { service } from '#resources/service.ts';
import type { Edit } from '#source/source.ts';
import type { Backend } from '#admin/backend.ts';
import { idOf, pluginEntity, updatedAnnotation } from '#admin/entity.ts';
import { badRequest, entityNotFound, notFound, uniqueViolation, unsupportedWrite } from '#admin/errors.ts';
import { pageBody, selectPage } from '#admin/listing.ts';
import {
  findPlugin,
  findRoute,
  isUuid,
  namedPlugins,
  namespaceOf,
  pluginsOfRoute,
  routeOfPlugin,
  routeOrFail,
} from '#admin/look-up.ts';
import { objectName } from '#admin/object-name.ts';
import { readPluginArguments, type PluginFields } from '#admin/plugin-arguments.ts';
import { created, noContent, ok, type AdminRequest, type Endpoint } from '#admin/request-context.ts';

function show(backend: Backend, object: KongPlugin) {
  const route = routeOfPlugin(backend.store, object);
  return pluginEntity(object, idOf(kongPlugin, object), route === undefined ? undefined : idOf(ingress, route));
}

/** The annotation of an object with other plugin names; all its other annotations as they are. */
function editAnnotation(
  object: KubernetesObject,
  kind: typeof ingress | typeof service,
  change: (names: string[]) => string[],
): Edit {
  return {
    ref: refOf(kind, object),
    apply: (found) => {
      const current = found ?? object;
      const names = change(namedPlugins(current));
      const { [pluginsAnnotation]: _, ...others } = current.metadata.annotations ?? {};
      const annotations =
        names.length === 0 ? others : { ...current.metadata.annotations, [pluginsAnnotation]: names.join(', ') };
      const { annotations: __, ...metadata } = current.metadata;
      return { ...current, metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations } };
    },
  };
}

function newPlugin(backend: Backend, route: Ingress, fields: PluginFields): KubernetesObject {
  const namespace = namespaceOf(route);
  const isTaken = (name: string): boolean => backend.store.find({ kind: 'KongPlugin', namespace, name }) !== undefined;
  return {
    apiVersion: apiVersionOf(kongPlugin),
    kind: kongPlugin.kind,
    metadata: {
      name: objectName(`${route.metadata.name}-${fields.name}`, isTaken),
      namespace,
      creationTimestamp: backend.now().toISOString(),
    },
    plugin: fields.name,
    ...(Object.keys(fields.config).length === 0 ? {} : { config: fields.config }),
    ...(fields.enabled ? {} : { disabled: true }),
    ...(fields.instanceName === undefined ? {} : { instance_name: fields.instanceName }),
  };
}

async function createPlugin(backend: Backend, route: Ingress, fields: PluginFields) {
  const id = idOf(ingress, route);
  if (pluginsOfRoute(backend.store, route).some((other) => other.plugin === fields.name)) {
    throw uniqueViolation({ consumer: null, name: fields.name, route: { id }, service: null });
  }
  const object = newPlugin(backend, route, fields);
  const ref = refOf(kongPlugin, object);
  await backend.write([
    { ref, apply: () => object },
    editAnnotation(route, ingress, (names) => [...names, object.metadata.name]),
  ]);
  return show(backend, readBack(backend, object));
}

/** What was written, as everybody else now sees it. */
function readBack(backend: Backend, object: KubernetesObject): KongPlugin {
  const found = backend.store.get(kongPlugin, namespaceOf(object), object.metadata.name);
  if (found === undefined) throw new Error(`the KongPlugin ${object.metadata.name} was written but is not there`);
  return found;
}

function changedPlugin(current: KubernetesObject, fields: PluginFields, now: Date): KubernetesObject {
  const { config: _, disabled: __, instance_name: ___, ...rest } = current;
  const annotations = { ...current.metadata.annotations, [updatedAnnotation]: now.toISOString() };
  return {
    ...(rest as KubernetesObject),
    metadata: { ...current.metadata, annotations },
    ...(Object.keys(fields.config).length === 0 ? {} : { config: fields.config }),
    ...(fields.enabled ? {} : { disabled: true }),
    ...(fields.instanceName === undefined ? {} : { instance_name: fields.instanceName }),
  };
}

async function changePlugin(backend: Backend, object: KongPlugin, fields: PluginFields) {
  if (fields.name !== object.plugin)
    throw badRequest('the type of a plugin cannot be changed: delete it and make another');
  const ref = refOf(kongPlugin, object);
  await backend.write([{ ref, apply: (current) => changedPlugin(current ?? object, fields, backend.now()) }]);
  return show(backend, readBack(backend, object));
}

/** Deletes a plugin and takes its name out of everything that refers to it: a route is never left broken. */
async function removePlugin(backend: Backend, object: KongPlugin): Promise<void> {
  const { name } = object.metadata;
  const drop = (names: string[]): string[] => names.filter((other) => other !== name);
  const isReferrer = (other: KubernetesObject): boolean =>
    namespaceOf(other) === namespaceOf(object) && namedPlugins(other).includes(name);
  await backend.write([
    ...backend.store
      .list(ingress)
      .filter(isReferrer)
      .map((route) => editAnnotation(route, ingress, drop)),
    ...backend.store
      .list(service)
      .filter(isReferrer)
      .map((other) => editAnnotation(other, service, drop)),
    { ref: refOf(kongPlugin, object), apply: () => undefined },
  ]);
}

function list(backend: Backend, plugins: readonly KongPlugin[], request: AdminRequest) {
  const selection = selectPage(
    plugins.map((object) => show(backend, object)),
    request.query,
    request.path,
  );
  return ok(pageBody(selection.page, selection));
}

/** `/routes/{route}/plugins` (kong-facts 3.7). */
export function routePluginEndpoints(backend: Backend): Endpoint[] {
  const { store } = backend;
  const ofPath = (request: AdminRequest) => routeOrFail(store, request.params['route'] ?? '');
  const one = (request: AdminRequest): KongPlugin => {
    const found = findPlugin(pluginsOfRoute(store, ofPath(request)), request.params['plugin'] ?? '');
    if (found === undefined) throw notFound();
    return found;
  };
  return [
    {
      path: '/routes/:route/plugins',
      methods: {
        GET: (request) => list(backend, pluginsOfRoute(store, ofPath(request)), request),
        POST: async (request) => {
          const route = ofPath(request);
          return created(await createPlugin(backend, route, readPluginArguments(request, undefined)));
        },
      },
    },
    { path: '/routes/:route/plugins/:plugin', methods: pluginMethods(backend, one, one) },
  ];
}

type FindPlugin = (request: AdminRequest) => KongPlugin;

function pluginMethods(backend: Backend, find: FindPlugin, findToChange: FindPlugin): Endpoint['methods'] {
  return {
    GET: (request) => ok(show(backend, find(request))),
    PUT: async (request) => {
      const object = findToChange(request);
      return ok(await changePlugin(backend, object, readPluginArguments(request, undefined)));
    },
    PATCH: async (request) => {
      const object = findToChange(request);
      return ok(await changePlugin(backend, object, readPluginArguments(request, object)));
    },
    DELETE: async (request) => {
      await removePlugin(backend, find(request));
      return noContent;
    },
  };
}

/** `/plugins`, the same plugins whatever they are attached to. */
export function pluginEndpoints(backend: Backend): Endpoint[] {
  const { store } = backend;
  const find = (request: AdminRequest) => findPlugin(store.list(kongPlugin), request.params['plugin'] ?? '');
  const one = (request: AdminRequest): KongPlugin => {
    const found = find(request);
    if (found === undefined) throw notFound();
    return found;
  };
  const create = async (request: AdminRequest) => {
    const fields = readPluginArguments(request, undefined);
    const key = fields.route?.id ?? fields.route?.name;
    if (key === undefined) {
      throw unsupportedWrite(
        'create',
        'plugins',
        'state a route, or apply a KongClusterPlugin with the label global: "true"',
      );
    }
    const route = findRoute(store, key);
    if (route === undefined) throw entityNotFound(isUuid(key) ? { id: key } : { name: key }, isUuid(key));
    return created(await createPlugin(backend, route, fields));
  };
  const methods = pluginMethods(backend, one, one);
  return [
    { path: '/plugins', methods: { GET: (request) => list(backend, store.list(kongPlugin), request), POST: create } },
    {
      path: '/plugins/:plugin',
      methods: {
        ...methods,
        DELETE: async (request) => {
          const object = find(request);
          if (object !== undefined) await removePlugin(backend, object);
          return noContent; // flat deletes of nothing succeed (kong-facts 3.3)
        },
      },
    },
  ];
}
