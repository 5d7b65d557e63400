/** Kong's tutorial, row by row (kong-facts 3.7), against both likenesses of a source. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ingressNamed, startAdmin, type AdminReply, type TestAdmin } from '../../support/admin.ts';

const uuid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
const seconds = Date.parse('2026-03-01T12:00:00Z') / 1000;
const anything: unknown = expect.anything();
const absent = '00000000-0000-4000-8000-000000000000';

const keyAuth = {
  id: uuid,
  name: 'key-auth',
  instance_name: null,
  created_at: seconds,
  updated_at: seconds,
  route: { id: uuid },
  service: null,
  consumer: null,
  config: {
    key_names: ['apikey'],
    hide_credentials: false,
    anonymous: null,
    key_in_header: true,
    key_in_query: true,
    key_in_body: false,
    run_on_preflight: true,
    realm: null,
  },
  protocols: ['grpc', 'grpcs', 'http', 'https'],
  enabled: true,
  tags: null,
};
const consumer = {
  // UUIDv5 of the username, as Kong's controller has it (kong-facts 4.6).
  id: '7deb6e70-60be-5dd2-b374-06551479ea5e',
  created_at: seconds,
  updated_at: seconds,
  username: 'consumer',
  custom_id: 'consumer',
  tags: null,
};
const credential = {
  id: uuid,
  created_at: seconds,
  consumer: { id: consumer.id },
  key: 'apikey',
  tags: null,
  ttl: null,
};

const atLeastOne = "at least one of these fields must be non-empty: 'custom_id', 'username'";
const notEnabled = "plugin 'no-such' not enabled; add it to the 'plugins' configuration property";
const violation = (message: string, fields: unknown) => ({
  code: 2,
  name: 'schema violation',
  message: `schema violation (${message})`,
  fields,
});
const unique = (message: string, fields: unknown) => ({
  code: 5,
  name: 'unique constraint violation',
  message: `UNIQUE violation detected on '${message}'`,
  fields,
});

interface Row {
  readonly line: string;
  readonly stated?: string | object;
  readonly status: number;
  readonly body?: unknown;
}

/** `{plugin}`, `{credential}` and `{route}` stand for ids that earlier answers gave. */
const rows: readonly Row[] = [
  { line: 'POST /routes/mocking/plugins', stated: 'name=key-auth', status: 201, body: keyAuth },
  {
    line: 'POST /routes/mocking/plugins',
    stated: 'name=key-auth',
    status: 409,
    body: unique('{consumer=null,name="key-auth",route={id="{route}"},service=null}', {
      consumer: null,
      name: 'key-auth',
      route: { id: '{route}' },
      service: null,
    }),
  },
  {
    line: 'POST /routes/mocking/plugins',
    stated: 'name=no-such',
    status: 400,
    body: violation(`name: ${notEnabled}`, { name: notEnabled }),
  },
  {
    line: 'POST /routes/mocking/plugins',
    status: 400,
    body: violation('name: required field missing', { name: 'required field missing' }),
  },
  { line: 'GET /routes/mocking/plugins/', status: 200, body: { data: [keyAuth], next: null } },
  { line: 'GET /routes/mocking/plugins/{plugin}', status: 200, body: keyAuth },
  { line: 'GET /routes/{route}/plugins/{plugin}', status: 200, body: keyAuth },
  {
    line: 'PATCH /routes/mocking/plugins/{plugin}',
    stated: 'enabled=false',
    status: 200,
    body: { ...keyAuth, enabled: false, updated_at: seconds + 60 },
  },
  {
    line: 'PATCH /routes/mocking/plugins/{plugin}',
    stated: { enabled: true },
    status: 200,
    body: { ...keyAuth, enabled: true, updated_at: seconds + 60 },
  },
  { line: 'POST /consumers/', stated: 'username=consumer&custom_id=consumer', status: 201, body: consumer },
  {
    line: 'POST /consumers/',
    stated: 'username=consumer&custom_id=consumer',
    status: 409,
    body: unique('{username="consumer"}', { username: 'consumer' }),
  },
  {
    line: 'POST /consumers/',
    stated: 'custom_id=consumer',
    status: 409,
    body: unique('{custom_id="consumer"}', { custom_id: 'consumer' }),
  },
  { line: 'POST /consumers', status: 400, body: violation(atLeastOne, { '@entity': [atLeastOne] }) },
  { line: 'POST /consumers/consumer/key-auth', stated: 'key=apikey', status: 201, body: credential },
  {
    line: 'POST /consumers/consumer/key-auth',
    status: 201,
    body: { ...credential, key: expect.stringMatching(/^[A-Za-z0-9]{32}$/) },
  },
  { line: 'POST /consumers', stated: { username: 'other' }, status: 201 },
  {
    line: 'POST /consumers/other/key-auth',
    stated: { key: 'apikey' },
    status: 409,
    body: unique('{key="apikey"}', { key: 'apikey' }),
  },
  { line: 'POST /consumers/nobody/key-auth', stated: 'key=x', status: 404, body: { message: 'Not found' } },
  { line: 'GET /consumers/consumer/key-auth/apikey', status: 200, body: credential },
  { line: 'GET /consumers/consumer/key-auth/{credential}', status: 200, body: credential },
  { line: 'GET /consumers/other/key-auth/{credential}', status: 404, body: { message: 'Not found' } },
  { line: 'PUT /consumers/consumer/key-auth/1234', stated: {}, status: 200, body: { ...credential, key: '1234' } },
  {
    line: `PUT /consumers/consumer/key-auth/${absent}`,
    stated: {},
    status: 400,
    body: expect.objectContaining({ code: 1, fields: { id: absent } }),
  },
  {
    line: 'POST /key-auths',
    stated: 'key=other',
    status: 400,
    body: violation('consumer: required field missing', { consumer: 'required field missing' }),
  },
  { line: 'DELETE /consumers/consumer/key-auth/{credential}', status: 204, body: null },
  { line: 'DELETE /consumers/consumer/key-auth/{credential}', status: 404, body: { message: 'Not found' } },
  { line: 'DELETE /plugins/{plugin}', status: 204, body: null },
  { line: 'DELETE /plugins/{plugin}', status: 204, body: null },
  { line: 'GET /routes/mocking/plugins', status: 200, body: { data: [], next: null } },
];

describe.for(['directory', 'api server'] as const)('the tutorial on a source like a %s', (like) => {
  let admin: TestAdmin;
  const ids = new Map<string, string>();
  const filled = (value: unknown): string =>
    JSON.stringify(value).replaceAll(/\{(plugin|credential|route)\}/g, (_, name: string) => ids.get(name) ?? '?');

  beforeAll(async () => {
    admin = await startAdmin([ingressNamed('mocking')], like);
    ids.set('route', (await admin.call('GET /routes/mocking')).body.id as string);
  });
  afterAll(async () => admin.close());

  function note(answer: AdminReply): void {
    const { id, name, key } = (answer.body ?? {}) as Record<string, string>;
    if (answer.status === 201 && name === 'key-auth') ids.set('plugin', id ?? '');
    if (answer.status === 201 && key === 'apikey') ids.set('credential', id ?? '');
  }

  test.for(rows.map((row, i) => ({ ...row, step: i + 1 })))('step $step: $line, $status', async (row) => {
    if (row.line.startsWith('PATCH')) admin.clock.now = new Date((seconds + 60) * 1000);
    const answer = await admin.call(JSON.parse(filled(row.line)) as string, row.stated);
    admin.clock.now = new Date(seconds * 1000);
    note(answer);
    const isPlain = JSON.stringify(row.body ?? null).includes('{route}');
    const body: unknown = isPlain ? JSON.parse(filled(row.body)) : row.body === undefined ? anything : row.body;
    expect(answer.status).toBe(row.status);
    expect(answer.body).toEqual(body);
  });
});
