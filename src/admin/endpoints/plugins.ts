import { ingress, type Ingress } from '#resources/ingress.ts';
import { service } from '#resources/service.ts';
import { attachedPlugins, findPlugin, pluginId, type AttachedPlugin } from '#admin/attached-plugins.ts';
import type { Backend } from '#admin/backend.ts';
import { idOf, pluginEntity } from '#admin/entity.ts';
import {
  chosenId,
  foreignKeyUnresolved,
  foreignKeyViolation,
  notFound,
  schemaViolation,
  unsupportedWrite,
} from '#admin/errors.ts';
import { flatList, listAnswer } from '#admin/listing.ts';
import { findRoute, isUuid } from '#admin/look-up.ts';
import { readPluginArguments, type PluginFields } from '#admin/plugin-arguments.ts';
import { changePlugin, createPlugin, removePlugin } from '#admin/plugin-writes.ts';
import { created, noContent, ok, type AdminRequest, type Endpoint } from '#admin/request-context.ts';

/** A plugin with the first of what it is attached to, as Kong's have one at most. */
function show(plugin: AttachedPlugin) {
  const [route] = plugin.routes;
  const [other] = route === undefined ? plugin.services : [];
  return pluginEntity(plugin.object, pluginId(plugin), {
    routeId: route === undefined ? undefined : idOf(ingress, route),
    serviceId: other === undefined ? undefined : idOf(service, other),
  });
}

/** The Ingress that the arguments name. @throws AdminError 400, 405 if there is none */
function routeOf(backend: Backend, { route }: PluginFields): Ingress {
  const key = route?.id ?? route?.name;
  if (key === undefined) {
    const instead = 'name a route, or apply a KongClusterPlugin with the label global: "true"';
    throw unsupportedWrite('create', 'plugins', instead);
  }
  if (route?.id !== undefined && !isUuid(key)) throw schemaViolation({ route: { id: 'expected a valid UUID' } });
  const found = findRoute(backend, key);
  if (found !== undefined) return found;
  throw route?.id === undefined
    ? foreignKeyUnresolved('route', { name: key }, 'routes')
    : foreignKeyViolation('route', key, 'routes');
}

/** `/plugins`: the same plugins whatever they are attached to (kong-facts 3.2). */
export function pluginEndpoints(backend: Backend): Endpoint[] {
  const find = (request: AdminRequest) => findPlugin(attachedPlugins(backend), request.param('plugin'));
  const one = (request: AdminRequest): AttachedPlugin => {
    const found = find(request);
    if (found === undefined) throw notFound();
    return found;
  };
  const list = async (request: AdminRequest) => {
    const all = attachedPlugins(backend).map((plugin) => ({ id: pluginId(plugin), item: plugin }));
    return listAnswer(all, flatList(request, '/plugins'), show);
  };
  const create = async (request: AdminRequest) => {
    const fields = readPluginArguments(request, {});
    const route = routeOf(backend, fields);
    const plugin = await createPlugin(backend, route, fields);
    return created(show({ ...plugin, routes: [route], services: [] }));
  };
  const changed = async (request: AdminRequest, kept: 'kept' | 'replaced') => {
    const plugin = one(request);
    const entity = show(plugin);
    const fields = readPluginArguments(request, { entity, ...(kept === 'kept' ? { kept: plugin.object } : {}) });
    const isMoved = fields.route !== undefined && idOf(ingress, routeOf(backend, fields)) !== entity.route?.id;
    if (isMoved) throw schemaViolation({ route: 'cannot be changed: delete the plugin and make another' });
    return ok(show({ ...plugin, ...(await changePlugin(backend, plugin, fields)) }));
  };
  const put = async (request: AdminRequest) => {
    const key = request.param('plugin');
    if (find(request) !== undefined) return changed(request, 'replaced');
    if (isUuid(key)) throw chosenId(key, 'make a plugin by POST or by its instance_name');
    const fields = { ...readPluginArguments(request, {}), instanceName: key };
    const route = routeOf(backend, fields);
    return ok(show({ ...(await createPlugin(backend, route, fields)), routes: [route], services: [] }));
  };
  const remove = async (request: AdminRequest) => {
    const plugin = find(request);
    if (plugin !== undefined) await removePlugin(backend, plugin);
    return noContent; // flat deletes of nothing succeed (kong-facts 3.3)
  };
  return [
    { path: '/plugins', methods: { GET: list, POST: create } },
    {
      path: '/plugins/:plugin',
      methods: {
        GET: (request) => ok(show(one(request))),
        PUT: put,
        PATCH: async (request) => changed(request, 'kept'),
        DELETE: remove,
      },
    },
  ];
}
