import { afterEach, beforeEach, expect, test } from 'vitest';
import { ingressNamed, startAdmin, type TestAdmin } from '../../support/admin.ts';

let admin: TestAdmin;
beforeEach(async () => {
  admin = await startAdmin([ingressNamed('mocking')]);
});
afterEach(async () => admin.close());

const types = ['key-auth', 'basic-auth', 'acl', 'request-termination'];

test('every type is enabled and has a schema', async () => {
  const enabled = (await admin.call('GET /plugins/enabled')).body as { enabled_plugins: string[] };
  expect(enabled.enabled_plugins).toEqual(expect.arrayContaining(types));
  for (const type of types)
    expect([type, (await admin.call(`GET /schemas/plugins/${type}`)).status]).toEqual([type, 200]);
});

test.for<readonly [string, string, object]>([
  ['basic-auth', 'config.realm=api&config.hide_credentials=true', { realm: 'api', hide_credentials: true }],
  ['acl', 'config.allow[]=admin&config.allow[]=staff', { allow: ['admin', 'staff'], hide_groups_header: false }],
  ['acl', 'config.deny=banned', { deny: ['banned'] }],
  ['request-termination', 'config.status_code=418&config.message=So long', { status_code: 418, message: 'So long' }],
])('%s is written from the form %s', async ([name, form, config]) => {
  const written = await admin.call('POST /routes/mocking/plugins', `name=${name}&${form}`);
  expect([written.status, written.body.config]).toEqual([201, expect.objectContaining(config)]);
  const read = await admin.call(`GET /plugins/${String(written.body.id)}`);
  expect(read.body).toEqual(written.body);
});

test.for<readonly [string, string]>([
  ['acl', 'config.hide_groups_header=true'],
  ['acl', 'config.allow=a&config.deny=b'],
  ['request-termination', 'config.content_type=text/plain'],
  ['basic-auth', 'config.run_on_preflight=false'],
])('%s is refused with %s', async ([name, form]) => {
  const { status, body } = await admin.call('POST /routes/mocking/plugins', `name=${name}&${form}`);
  expect([status, body.name]).toEqual([400, 'schema violation']);
  expect(admin.source.ofKind('KongPlugin')).toEqual([]);
});
