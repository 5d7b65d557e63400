import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { ingressNamed, startAdmin, type TestAdmin } from '../../support/admin.ts';

let admin: TestAdmin;
beforeEach(async () => {
  admin = await startAdmin([
    ingressNamed('mocking'),
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'mocking', namespace: 'default' } },
  ]);
});
afterEach(async () => admin.close());

const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

test('an Ingress is a route with every field that Kong shows', async () => {
  const { body } = await admin.call('GET /routes/mocking');
  expect(body).toEqual({
    id: uuid,
    created_at: Date.parse('2026-01-01T00:00:00Z') / 1000,
    updated_at: Date.parse('2026-01-01T00:00:00Z') / 1000,
    name: 'mocking',
    protocols: ['http', 'https'],
    https_redirect_status_code: 426,
    strip_path: false,
    preserve_host: true,
    request_buffering: false,
    response_buffering: false,
    tags: null,
    service: { id: uuid },
    snis: null,
    sources: null,
    destinations: null,
    methods: null,
    hosts: null,
    paths: ['/mocking'],
    headers: null,
    regex_priority: 0,
    path_handling: 'v0',
  });
  expect((await admin.call('GET /routes')).body).toEqual({ data: [body], next: null });
  expect((await admin.call(`GET /routes/${body.id as string}`)).body).toEqual(body);
});

test('hosts, paths and annotations of an Ingress are shown', async () => {
  const backend = { service: { name: 'absent', port: { number: 80 } } };
  const paths = (...all: (string | undefined)[]) => ({
    paths: all.map((path) => ({ ...(path === undefined ? {} : { path }), backend })),
  });
  const annotations = { 'konghq.com/strip-path': 'TRUE', 'konghq.com/preserve-host': 'false' };
  const rules = [
    { host: 'a.test', http: paths('/x', '/y') },
    { host: 'b.test', http: paths('/x', undefined) },
    { http: paths('/z') },
  ];
  admin.source.set({ ...ingressNamed('wide', { annotations }), spec: { ingressClassName: 'kong', rules } });
  expect((await admin.call('GET /routes/wide')).body).toMatchObject({
    hosts: ['a.test', 'b.test'],
    paths: ['/x', '/y', '/', '/z'],
    strip_path: true,
    preserve_host: false,
    service: null,
  });
});

describe('names', () => {
  const found = async (key: string) => (await admin.call(`GET /routes/${key}`)).body.id as string | undefined;
  const uid = (name: string, namespace: string) => admin.source.at('Ingress', name, namespace)?.metadata.uid;
  const far = (name: string, namespace: string): KubernetesObject => ingressNamed(name, { namespace });

  test('default comes first, then a name that is nowhere else, then namespace.name', async () => {
    admin.source.set(far('mocking', 'a'), far('once', 'a'), far('twice', 'a'), far('twice', 'b'));
    expect(await found('mocking')).toBe(uid('mocking', 'default'));
    expect(await found('a.mocking')).toBe(uid('mocking', 'a'));
    expect(await found('once')).toBe(uid('once', 'a'));
    expect(await found('twice')).toBeUndefined();
    expect(await found('b.twice')).toBe(uid('twice', 'b'));
  });

  test('an Ingress of another class is no route', async () => {
    const annotations = { 'kubernetes.io/ingress.class': 'other' };
    admin.source.set(ingressNamed('theirs', { annotations }), {
      ...ingressNamed('theirs-too'),
      spec: { ingressClassName: 'other' },
    });
    expect(await found('theirs')).toBeUndefined();
    expect(await found('theirs-too')).toBeUndefined();
    expect((await admin.call('GET /routes')).body.data).toHaveLength(1);
    expect((await admin.call('POST /routes/theirs/plugins', 'name=key-auth')).status).toBe(404);
  });
});

test.for([
  ['POST /routes', "cannot create 'routes' entities: apply an Ingress instead"],
  ['PUT /routes/mocking', "cannot create or update 'routes' entities: apply an Ingress instead"],
  ['PATCH /routes/mocking', "cannot update 'routes' entities: apply an Ingress instead"],
  ['DELETE /routes/mocking', "cannot remove 'routes' entities: apply an Ingress instead"],
  ['POST /services', "cannot create 'services' entities: apply a Service instead"],
  ['PATCH /services/mocking', "cannot update 'services' entities: apply a Service instead"],
  ['POST /services/mocking/routes', "cannot create 'routes' entities: apply an Ingress instead"],
])('%s is refused as Kong refuses it without a database', async ([line, message]) => {
  const answer = await admin.call(line ?? '', 'name=x');
  expect(answer).toMatchObject({ status: 405, body: { code: 12, name: 'operation unsupported', message } });
  expect(admin.source.batches()).toHaveLength(1);
});

test('what annotations say of the route is shown', async () => {
  const more = await startAdmin([
    {
      ...ingressNamed('annotated'),
      metadata: {
        name: 'annotated',
        namespace: 'default',
        annotations: {
          'konghq.com/methods': 'get, POST',
          'konghq.com/protocols': 'https',
          'konghq.com/https-redirect-status-code': '301',
          'konghq.com/snis': 'a.example',
          'konghq.com/host-aliases': 'alias.example',
          'konghq.com/headers.x-tenant': 'blue; green',
          'konghq.com/headers-separator': ';',
          'konghq.com/regex-priority': '7',
          'konghq.com/path-handling': 'v1',
          'konghq.com/response-buffering': 'true',
          'konghq.com/tags': 'edge, team-a',
          'kubernetes.io/ingress.class': 'kong',
        },
      },
    },
  ]);
  expect((await more.call('GET /routes/annotated')).body).toMatchObject({
    methods: ['GET', 'POST'],
    protocols: ['https'],
    https_redirect_status_code: 301,
    snis: ['a.example'],
    hosts: ['alias.example'],
    headers: { 'x-tenant': ['blue', 'green'] },
    regex_priority: 7,
    path_handling: 'v1',
    request_buffering: false,
    response_buffering: true,
    tags: ['edge', 'team-a'],
  });
  await more.close();
});
