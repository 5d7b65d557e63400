import { ingress, type Ingress } from '#resources/ingress.ts';
import { findPlugin, pluginId, pluginsOf, type NamedPlugin } from '#admin/attached-plugins.ts';
import type { Backend } from '#admin/backend.ts';
import { idOf, pluginEntity } from '#admin/entity.ts';
import { chosenId, notFound, schemaViolation } from '#admin/errors.ts';
import { listAnswer, nestedList } from '#admin/listing.ts';
import { findRoute, isUuid, routeOrFail } from '#admin/look-up.ts';
import { readPluginArguments, type PluginFields } from '#admin/plugin-arguments.ts';
import { assertOnlyOn, changePlugin, createPlugin, detachPlugin } from '#admin/plugin-writes.ts';
import { created, noContent, ok, type AdminRequest, type Endpoint } from '#admin/request-context.ts';

const show = (route: Ingress, plugin: NamedPlugin) =>
  pluginEntity(plugin.object, pluginId(plugin), { routeId: idOf(ingress, route) });

/** @throws AdminError 400: a KongPlugin stands in the annotation of its Ingress, and there it stays */
function assertStays(backend: Backend, route: Ingress, fields: PluginFields): void {
  const stated = fields.route?.id ?? fields.route?.name;
  if (stated === undefined) return;
  const found = findRoute(backend, stated);
  if (found !== undefined && idOf(ingress, found) === idOf(ingress, route)) return;
  throw schemaViolation({ route: 'cannot be changed: delete the plugin and make another' });
}

/** `/routes/{route}/plugins` (kong-facts 3.2, 3.7). */
export function routePluginEndpoints(backend: Backend): Endpoint[] {
  const ofPath = (request: AdminRequest) => routeOrFail(backend, request.param('route'));
  const find = (request: AdminRequest, route: Ingress) =>
    findPlugin(pluginsOf(backend, route), request.param('plugin'));
  const one = (request: AdminRequest): { route: Ingress; plugin: NamedPlugin } => {
    const route = ofPath(request);
    const plugin = find(request, route);
    if (plugin === undefined) throw notFound();
    return { route, plugin };
  };
  const list = async (request: AdminRequest) => {
    const route = ofPath(request);
    const all = pluginsOf(backend, route).map((plugin) => ({ id: pluginId(plugin), item: plugin }));
    const view = nestedList(request, `/routes/${idOf(ingress, route)}/plugins`);
    return listAnswer(all, view, (plugin) => show(route, plugin));
  };
  const create = async (request: AdminRequest) => {
    const route = ofPath(request);
    return created(show(route, await createPlugin(backend, route, readPluginArguments(request, {}))));
  };
  const changed = async (request: AdminRequest, kept: 'kept' | 'replaced') => {
    const { route, plugin } = one(request);
    const before = { entity: show(route, plugin), ...(kept === 'kept' ? { kept: plugin.object } : {}) };
    const fields = readPluginArguments(request, before);
    assertStays(backend, route, fields);
    assertOnlyOn(backend, route, plugin);
    return ok(show(route, await changePlugin(backend, plugin, fields)));
  };
  const put = async (request: AdminRequest) => {
    const route = ofPath(request);
    const key = request.param('plugin');
    if (find(request, route) !== undefined) return changed(request, 'replaced');
    if (isUuid(key)) throw chosenId(key, 'make a plugin by POST or by its instance_name');
    const fields = { ...readPluginArguments(request, {}), instanceName: key };
    return ok(show(route, await createPlugin(backend, route, fields)));
  };
  const remove = async (request: AdminRequest) => {
    const { route, plugin } = one(request);
    await detachPlugin(backend, route, plugin);
    return noContent;
  };
  return [
    { path: '/routes/:route/plugins', methods: { GET: list, POST: create } },
    {
      path: '/routes/:route/plugins/:plugin',
      methods: {
        GET: (request) => {
          const { route, plugin } = one(request);
          return ok(show(route, plugin));
        },
        PUT: put,
        PATCH: async (request) => changed(request, 'kept'),
        DELETE: remove,
      },
    },
  ];
}
