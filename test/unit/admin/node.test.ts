import { hostname } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAdmin, type TestAdmin } from '../../support/admin.ts';

let admin: TestAdmin;
beforeAll(async () => {
  admin = await startAdmin();
});
afterAll(async () => admin.close());

test('GET / says what runs here', async () => {
  const { body } = await admin.call('GET /');
  expect(body).toMatchObject({
    tagline: 'Welcome to Latchkey',
    version: '1.2.3',
    edition: 'community',
    hostname: hostname(),
    node_id: expect.stringMatching(/^[0-9a-f]{8}-/),
    plugins: { available_on_server: { 'key-auth': { version: '1.2.3' } } },
    configuration: { database: 'off', router_flavor: 'traditional' },
    pids: { master: process.pid },
  });
  expect(body.plugins.enabled_in_cluster).toContain('key-auth');
  expect((await admin.call('GET /')).body.node_id).toBe(body.node_id);
});

test('GET /status says how it does', async () => {
  expect((await admin.call('GET /status')).body).toMatchObject({ memory: { rss: expect.any(Number) }, objects: 0 });
});

test('GET /plugins/enabled lists the plugins, and is no plugin', async () => {
  const { body } = await admin.call('GET /plugins/enabled');
  expect(body.enabled_plugins).toContain('key-auth');
});

test('GET /schemas/plugins/key-auth describes every field as Kong does', async () => {
  const { body } = await admin.call('GET /schemas/plugins/key-auth');
  expect(body.fields.map((field: object) => Object.keys(field))).toEqual([['consumer'], ['protocols'], ['config']]);
  const fields = body.fields[2].config.fields as Record<string, unknown>[];
  expect(fields.flatMap((field) => Object.keys(field)).sort()).toEqual([
    'anonymous',
    'hide_credentials',
    'key_in_body',
    'key_in_header',
    'key_in_query',
    'key_names',
    'realm',
    'run_on_preflight',
  ]);
  expect(fields.find((field) => 'key_names' in field)).toEqual({
    key_names: {
      type: 'array',
      default: ['apikey'],
      required: true,
      elements: { type: 'string' },
      description: expect.any(String),
    },
  });
});

test('the schema of an unknown plugin is 404', async () => {
  expect(await admin.call('GET /schemas/plugins/no-such')).toMatchObject({
    status: 404,
    body: { message: "No plugin named 'no-such'" },
  });
});

test('POST /schemas/plugins/validate says whether a plugin could be made, and makes none', async () => {
  const good = await admin.call('POST /schemas/plugins/validate', 'name=key-auth&config.key_names=a');
  expect(good).toMatchObject({ status: 200, body: { message: 'schema validation successful' } });
  const bad = await admin.call('POST /schemas/plugins/validate', { name: 'key-auth', config: { x: 1 } });
  expect(bad).toMatchObject({ status: 400, body: { code: 2, fields: { config: { x: 'unknown field' } } } });
  expect(admin.source.ofKind('KongPlugin')).toEqual([]);
});
