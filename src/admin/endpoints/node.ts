import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { pluginSchemas } from '#plugins/schemas.ts';
import type { Backend } from '#admin/backend.ts';
import { defaultProtocols } from '#admin/entity.ts';
import { AdminError } from '#admin/errors.ts';
import { readPluginArguments } from '#admin/plugin-arguments.ts';
import { ok, type AdminRequest, type Endpoint } from '#admin/request-context.ts';

interface FieldSchema {
  readonly type?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly items?: { readonly type?: string };
}

/** Kong describes fields as a list of objects with a single key each; one with a default is required. */
function describeFields(properties: Readonly<Record<string, FieldSchema>>): Record<string, unknown>[] {
  return Object.entries(properties).map(([name, { type, default: fallback, description, items }]) => ({
    [name]: {
      type,
      ...(fallback === undefined ? {} : { default: fallback, required: true }),
      ...(items === undefined ? {} : { elements: { type: items.type } }),
      description,
    },
  }));
}

/** @throws AdminError 404 */
function describePlugin(name: string) {
  const found = pluginSchemas.get(name);
  if (found === undefined) throw new AdminError(404, { message: `No plugin named '${name}'` });
  const protocols = { type: 'set', elements: { type: 'string' }, default: defaultProtocols, required: true };
  const config = { type: 'record', required: true, fields: describeFields(found.config.properties) };
  return {
    entity_checks: [],
    fields: [{ consumer: { type: 'foreign', reference: 'consumers', eq: null } }, { protocols }, { config }],
  };
}

/** What `GET /` says of this process (kong-facts 3.6), where Latchkey has the like of it. */
function describeNode(version: string, nodeId: string) {
  const names = [...pluginSchemas.keys()];
  return {
    tagline: 'Welcome to Latchkey',
    version,
    edition: 'community',
    hostname: hostname(),
    node_id: nodeId,
    plugins: {
      available_on_server: Object.fromEntries(names.map((name) => [name, { version }])),
      enabled_in_cluster: names,
    },
    configuration: { database: 'off', router_flavor: 'traditional' },
    pids: { master: process.pid, workers: [] },
  };
}

function validate(request: AdminRequest) {
  readPluginArguments(request, {});
  return ok({ message: 'schema validation successful' });
}

/** `/`, `/status`, `/plugins/enabled`, `/schemas/plugins/{name}` (kong-facts 3.2, 3.6). */
export function nodeEndpoints(backend: Backend): Endpoint[] {
  const nodeId = randomUUID();
  const status = () => ok({ memory: process.memoryUsage(), objects: backend.store.size });
  const enabled = () => ok({ enabled_plugins: [...pluginSchemas.keys()] });
  return [
    { path: '/', methods: { GET: () => ok(describeNode(backend.version, nodeId)) } },
    { path: '/status', methods: { GET: status } },
    { path: '/plugins/enabled', methods: { GET: enabled } },
    { path: '/schemas/plugins/validate', isReadOnly: true, methods: { POST: validate } },
    { path: '/schemas/plugins/:name', methods: { GET: (request) => ok(describePlugin(request.param('name'))) } },
  ];
}
