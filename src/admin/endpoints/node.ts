import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { pluginSchemas } from '#plugins/schemas.ts';
import type { Backend } from '#admin/backend.ts';
import { AdminError } from '#admin/errors.ts';
import { ok, type Endpoint } from '#admin/request-context.ts';

/** A plugin's config as Kong describes fields: a list of objects with a single key each. */
function describeFields(properties: Readonly<Record<string, object>>): Record<string, unknown>[] {
  return Object.entries(properties).map(([name, schema]) => {
    const { type, default: fallback, description, items } = schema as Record<string, unknown>;
    const element = items === undefined ? {} : { elements: { type: (items as { type?: string }).type } };
    return {
      [name]: {
        type,
        ...(fallback === undefined ? {} : { default: fallback, required: true }),
        ...element,
        description,
      },
    };
  });
}

/** `/`, `/status`, `/plugins/enabled`, `/schemas/plugins/{name}` (kong-facts 3.2, 3.6). */
export function nodeEndpoints(backend: Backend): Endpoint[] {
  const nodeId = randomUUID();
  const names = [...pluginSchemas.keys()];
  const root = () =>
    ok({
      tagline: 'Welcome to Latchkey',
      version: backend.version,
      edition: 'community',
      hostname: hostname(),
      node_id: nodeId,
      plugins: {
        available_on_server: Object.fromEntries(names.map((name) => [name, { version: backend.version }])),
        enabled_in_cluster: names,
      },
      configuration: { database: 'off', router_flavor: 'traditional' },
    });
  const schema = (name: string) => {
    const found = pluginSchemas.get(name);
    if (found === undefined) throw new AdminError(404, { message: `No plugin named '${name}'` });
    return ok({
      entity_checks: [],
      fields: [{ config: { type: 'record', required: true, fields: describeFields(found.config.properties) } }],
    });
  };
  return [
    { path: '/', methods: { GET: root } },
    {
      path: '/status',
      methods: { GET: () => ok({ memory: process.memoryUsage(), server: {}, objects: backend.store.size }) },
    },
    { path: '/plugins/enabled', methods: { GET: () => ok({ enabled_plugins: names }) } },
    { path: '/schemas/plugins/:name', methods: { GET: (request) => schema(request.params['name'] ?? '') } },
  ];
}
