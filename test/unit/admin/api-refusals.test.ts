/** What the Kubernetes API refuses, as the Admin API says it; and writes that are switched off. */
import { afterEach, describe, expect, test } from 'vitest';
import { ApiError } from '#resources/api-error.ts';
import { ingressNamed, startAdmin, type TestAdmin } from '../../support/admin.ts';

let admin: TestAdmin;
afterEach(async () => admin.close());

const forbidden =
  'kongconsumers.configuration.konghq.com "bob" is forbidden: User "system:serviceaccount:kong:latchkey" cannot ' +
  'patch resource "kongconsumers" in API group "configuration.konghq.com" in the namespace "default"';
const forbiddenSecret =
  'secrets is forbidden: User "u" cannot create resource "secrets" in API group "" in the namespace "x"';
const invalid =
  'KongConsumer.configuration.konghq.com "bob" is invalid: spec.tags: Too many: 21: must have at most 20 items';

test.for([
  {
    error: new ApiError(403, 'Forbidden', forbidden),
    status: 403,
    message: `Latchkey lacks the right to patch kongconsumers.configuration.konghq.com, the chart grants it with adminApi.writes: true: ${forbidden}`,
  },
  {
    error: new ApiError(403, 'Forbidden', forbiddenSecret),
    status: 403,
    message: `Latchkey lacks the right to create secrets, the chart grants it with adminApi.writes: true: ${forbiddenSecret}`,
  },
  {
    error: new ApiError(403, 'Forbidden', 'exceeded quota: q'),
    status: 403,
    message: 'refused by the Kubernetes API: exceeded quota: q',
  },
  {
    error: new ApiError(404, 'NotFound', 'namespaces "nowhere" not found'),
    status: 400,
    message: 'there is no namespace "nowhere" to write to',
  },
  {
    error: new ApiError(404, 'NotFound', 'the server could not find the requested resource'),
    status: 503,
    message: 'the Kubernetes API does not know the kind: are the CRDs installed?',
  },
  { error: new ApiError(409, 'Conflict', 'modified'), status: 409, message: 'modified' },
  { error: new ApiError(422, 'Invalid', invalid), status: 400, message: `schema violation (${invalid})` },
  {
    error: new ApiError(429, 'TooManyRequests', 'slow down', 7),
    status: 503,
    message: 'cannot write: slow down',
    retryAfter: '7',
  },
  {
    error: new ApiError(503, 'Unreachable', 'the API server cannot be reached: connect ECONNREFUSED'),
    status: 503,
    message: 'cannot write: the API server cannot be reached: connect ECONNREFUSED',
    retryAfter: '1',
  },
  {
    error: new ApiError(401, 'Unauthorized', 'Unauthorized'),
    status: 503,
    message: 'cannot write: Unauthorized',
    retryAfter: '1',
  },
  {
    error: new ApiError(504, 'NotInForce', 'written, but not in force yet after 10000 ms'),
    status: 504,
    message: 'written, but not in force yet after 10000 ms',
  },
  { error: new ApiError(405, 'MethodNotAllowed', 'no'), status: 500, message: 'cannot write: no' },
])('$error.status $error.reason is answered $status: $message', async ({ error, status, message, retryAfter }) => {
  admin = await startAdmin();
  admin.source.failWith(error);
  const answer = await admin.call('POST /consumers', 'username=bob');
  expect(answer).toMatchObject({ status, body: { message } });
  expect(answer.headers['retry-after']).toBe(retryAfter);
  expect(admin.logged).toEqual([]);
});

test('a key that cannot be read now is told so', async () => {
  admin = await startAdmin();
  await admin.call('POST /consumers', 'username=bob');
  await admin.call('POST /consumers/bob/key-auth', 'key=a');
  const { store, source } = admin;
  const read = async () => Promise.reject(new ApiError(503, 'Unreachable', 'no route'));
  const other = await startAdmin([], 'directory', { store, source: { ...source, read } });
  expect(await other.call('GET /consumers/bob/key-auth')).toMatchObject({
    status: 503,
    headers: { 'retry-after': '1' },
    body: { message: 'cannot read: no route' },
  });
  await other.close();
});

describe('with writes switched off', () => {
  const start = async () => startAdmin([ingressNamed('mocking')], 'api server', { writes: false });

  test.for([
    'POST /consumers',
    'PUT /consumers/bob',
    'PATCH /consumers/bob',
    'DELETE /consumers/bob',
    'POST /consumers/bob/key-auth',
    'POST /key-auths',
    'POST /routes/mocking/plugins',
    'DELETE /plugins/x',
    'POST /routes',
  ])('%s is answered 403, which says what switches them on', async (line) => {
    admin = await start();
    const answer = await admin.call(line, line.startsWith('DELETE') ? undefined : '{"not": JSON', [
      ['Content-Type', 'application/json'],
    ]);
    expect(answer.status).toBe(403);
    expect(answer.body.message).toContain('adminApi.writes');
    expect(answer.body.message).toContain('--admin-writes');
    expect(admin.source.batches()).toHaveLength(1);
  });

  test.for(['GET /', 'GET /routes/mocking', 'GET /consumers', 'HEAD /consumers', 'OPTIONS /consumers', 'GET /plugins'])(
    '%s is answered',
    async (line) => {
      admin = await start();
      expect((await admin.call(line)).status).toBeLessThan(300);
    },
  );

  test('what only checks is answered', async () => {
    admin = await start();
    expect(await admin.call('POST /schemas/plugins/validate', 'name=key-auth')).toMatchObject({ status: 200 });
  });

  test('what is no path or no method stays so', async () => {
    admin = await start();
    expect((await admin.call('POST /nothing', 'a=b')).status).toBe(404);
    expect((await admin.call('DELETE /consumers')).status).toBe(405);
  });
});

describe('with a namespace of its own', () => {
  test('new consumers and their keys are made there', async () => {
    admin = await startAdmin([], 'api server', { namespace: 'gateways' });
    await admin.call('POST /consumers', 'username=bob');
    expect(await admin.call('POST /consumers/bob/key-auth', 'key=a')).toMatchObject({ status: 201 });
    expect(admin.source.at('KongConsumer', 'bob', 'gateways')).toBeDefined();
    expect(admin.source.ofKind('Secret').map(({ metadata }) => metadata.namespace)).toEqual(['gateways']);
  });

  test('a name that is taken in another namespace is free here', async () => {
    admin = await startAdmin([], 'api server', { namespace: 'gateways' });
    const annotations = { 'kubernetes.io/ingress.class': 'other' };
    const metadata = { name: 'bob', namespace: 'default', annotations };
    admin.source.set({ apiVersion: 'configuration.konghq.com/v1', kind: 'KongConsumer', metadata, username: 'bob' });
    await admin.call('POST /consumers', 'username=bob');
    expect(admin.source.at('KongConsumer', 'bob', 'gateways')).toMatchObject({ username: 'bob' });
  });

  test('of routes with one name, the one there is meant', async () => {
    const routes = ['default', 'gateways'].map((namespace) => ingressNamed('mocking', { namespace, uid: namespace }));
    admin = await startAdmin(routes, 'api server', { namespace: 'gateways' });
    expect((await admin.call('GET /routes/mocking')).body.id).toBe('gateways');
  });
});
