import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { ingressNamed, startAdmin, type TestAdmin } from '../../support/admin.ts';

const absent = '00000000-0000-4000-8000-000000000000';
const named = (plugins: string) => ({ annotations: { 'konghq.com/plugins': plugins } });

let admin: TestAdmin;
beforeEach(async () => {
  admin = await startAdmin([ingressNamed('mocking'), ingressNamed('other')]);
});
afterEach(async () => admin.close());

function plugin(name: string, fields: object = {}, metadata: object = {}): KubernetesObject {
  return {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongPlugin',
    metadata: { name, namespace: 'default', ...metadata },
    plugin: 'key-auth',
    ...fields,
  };
}

function clusterPlugin(name: string, metadata: object = {}): KubernetesObject {
  const annotations = { 'kubernetes.io/ingress.class': 'kong' };
  const { namespace: _, ...kept } = plugin(name).metadata;
  return { ...plugin(name), kind: 'KongClusterPlugin', metadata: { ...kept, annotations, ...metadata } };
}

const annotationOf = (kind: string, name: string) =>
  admin.source.at(kind, name)?.metadata.annotations?.['konghq.com/plugins'];
const listed = async (path: string) => (await admin.call(`GET ${path}`)).body.data as { id: string; name: string }[];
const add = async (stated: string | object = 'name=key-auth', route = 'mocking') =>
  (await admin.call(`POST /routes/${route}/plugins`, stated)).body as { id: string };

describe('what a write becomes', () => {
  test('a plugin is a KongPlugin beside its Ingress, which names it, in one write', async () => {
    await add({ name: 'key-auth', config: { key_names: ['k'] }, instance_name: 'mine', enabled: false });
    expect(admin.source.ofKind('KongPlugin')).toEqual([
      {
        apiVersion: 'configuration.konghq.com/v1',
        kind: 'KongPlugin',
        metadata: {
          name: 'mocking-key-auth',
          namespace: 'default',
          uid: expect.any(String),
          creationTimestamp: '2026-03-01T12:00:00.000Z',
        },
        plugin: 'key-auth',
        config: { key_names: ['k'] },
        disabled: true,
        instance_name: 'mine',
      },
    ]);
    expect(annotationOf('Ingress', 'mocking')).toBe('mocking-key-auth');
    expect(admin.source.batches().at(-1)).toEqual(['KongPlugin/mocking-key-auth', 'Ingress/mocking']);
  });

  test('nothing is written that was not stated', async () => {
    await add();
    const [object] = admin.source.ofKind('KongPlugin');
    expect(Object.keys(object ?? {}).sort()).toEqual(['apiVersion', 'kind', 'metadata', 'plugin']);
  });

  test.for<readonly [string, string]>([
    ['a,b', 'a,b, mocking-key-auth'],
    ['  a ,  b  ', '  a ,  b, mocking-key-auth'],
    ['a,', 'a, mocking-key-auth'],
    ['', 'mocking-key-auth'],
    ['mocking-key-auth', 'mocking-key-auth'],
  ])('the annotation %j becomes %j', async ([before, wanted]) => {
    admin.source.set(ingressNamed('mocking', { annotations: { 'konghq.com/plugins': before, note: 'mine' } }));
    await add();
    expect(annotationOf('Ingress', 'mocking')).toBe(wanted);
    expect(admin.source.at('Ingress', 'mocking')?.metadata.annotations).toMatchObject({ note: 'mine' });
  });

  test.for<readonly [string, string | undefined]>([
    ['mocking-key-auth', undefined],
    ['a,mocking-key-auth , b', 'a, b'],
    ['mocking-key-auth, b', 'b'],
    ['a,  mocking-key-auth', 'a'],
    ['mocking-key-auth-2, mocking-key-auth', 'mocking-key-auth-2'],
  ])('after a delete the annotation %j is %j', async ([before, wanted]) => {
    admin.source.set(plugin('mocking-key-auth'), ingressNamed('mocking', named(before)));
    const id = (await listed('/routes/mocking/plugins'))[0]?.id ?? '';
    expect((await admin.call(`DELETE /routes/mocking/plugins/${id}`)).status).toBe(204);
    expect(annotationOf('Ingress', 'mocking')).toBe(wanted);
    expect(admin.source.ofKind('KongPlugin')).toEqual([]);
  });

  test('the namespace is that of the Ingress', async () => {
    admin.source.set(ingressNamed('far', { namespace: 'team' }));
    expect((await admin.call('POST /routes/far/plugins', 'name=key-auth')).status).toBe(201);
    expect(admin.source.at('KongPlugin', 'far-key-auth', 'team')).toBeDefined();
  });

  test('a name that another plugin has is not taken from it', async () => {
    admin.source.set(plugin('mocking-key-auth', { config: { key_names: 7 }, disabled: 'x' }));
    const created = await add();
    expect(created.id).toBeDefined();
    expect(annotationOf('Ingress', 'mocking')).toMatch(/^mocking-key-auth-[0-9a-f]{8}$/);
    admin.source.set(clusterPlugin('other-key-auth'));
    await add('name=key-auth', 'other');
    expect(annotationOf('Ingress', 'other')).toMatch(/^other-key-auth-[0-9a-f]{8}$/);
  });

  test('an Ingress that went meanwhile is not brought back', async () => {
    admin.source.loseQuietly({ kind: 'Ingress', namespace: 'default', name: 'mocking' });
    expect((await admin.call('POST /routes/mocking/plugins', 'name=key-auth')).status).toBe(409);
    expect(admin.source.ofKind('KongPlugin')).toEqual([]);
  });
});

describe('arguments', () => {
  const badName = (name: string) => `bad header name '${name}', allowed characters are A-Z, a-z, 0-9, '_', and '-'`;
  test.for([
    [{ config: { key_names: 'a' } }, { config: { key_names: 'expected an array' } }],
    [{ config: { key_names: ['ok', 'a b'] } }, { config: { key_names: [null, badName('a b')] } }],
    [{ config: { key_names: [''] } }, { config: { key_names: ['length must be at least 1'] } }],
    [{ config: { key_in_body: 'true' } }, { config: { key_in_body: 'expected a boolean' } }],
    [{ config: { nothing: 1 } }, { config: { nothing: 'unknown field' } }],
    [{ config: { nothing: null } }, { config: { nothing: 'unknown field' } }],
    [
      { config: { nothing: 1, key_in_body: 1 } },
      { config: { nothing: 'unknown field', key_in_body: 'expected a boolean' } },
    ],
    [{ config: 'x' }, { config: 'expected an object' }],
    [{ config: [] }, { config: 'expected an object' }],
    [{ enabled: 'false' }, { enabled: 'expected a boolean' }],
    [{ nothing: 1 }, { nothing: 'unknown field' }],
    [{ name: 7 }, { name: 'expected a string' }],
    [{ name: '' }, { name: 'required field missing' }],
    [{ name: null }, { name: 'required field missing' }],
    [{ name: '__proto__' }, { name: "plugin '__proto__' not enabled; add it to the 'plugins' configuration property" }],
    [{ consumer: { id: absent } }, { consumer: 'value must be null' }],
    [{ service: { id: absent } }, { service: expect.stringContaining('konghq.com/plugins') }],
    [{ tags: ['a'] }, { tags: expect.stringContaining('not kept') }],
    [{ protocols: ['http'] }, { protocols: expect.stringContaining('cannot be chosen') }],
    [{ id: absent }, { id: 'is given by Kubernetes and cannot be chosen' }],
  ])('%j is refused with %j', async ([stated, fields]) => {
    const answer = await admin.call('POST /routes/mocking/plugins', { name: 'key-auth', ...stated });
    expect(answer).toMatchObject({ status: 400, body: { code: 2, name: 'schema violation', fields } });
    expect(admin.source.ofKind('KongPlugin')).toEqual([]);
  });

  test('the message has the path of a fault in a list', async () => {
    const { body } = await admin.call('POST /routes/mocking/plugins', {
      name: 'key-auth',
      config: { key_names: ['a b'] },
    });
    expect(body.message).toBe(`schema violation (config.key_names.1: ${badName('a b')})`);
  });

  test.for([
    ['config.key_names=a', { key_names: ['a'] }],
    ['config.key_names[]=a&config.key_names[]=b', { key_names: ['a', 'b'] }],
    ['config.key_names[2]=b&config.key_names[1]=a', { key_names: ['a', 'b'] }],
    ['config.key_names=a&config.key_names=b', { key_names: ['a', 'b'] }],
    ['config%5Bkey_names%5D%5B%5D=a', { key_names: ['a'] }],
    ['config[key_in_body]=true&config.key_in_query=false', { key_in_body: true, key_in_query: false }],
    ['config.anonymous=', { anonymous: null }],
    ['config.anonymous=true', { anonymous: 'true' }],
    ['config.realm=7', { realm: '7' }],
    ['config.key_names=', { key_names: ['apikey'] }],
  ] as const)('the form %s is the config %j', async ([form, config]) => {
    const answer = await admin.call('POST /routes/mocking/plugins', `name=key-auth&${form}`);
    expect(answer).toMatchObject({ status: 201, body: { config } });
  });

  test.for(['route', 'service', 'consumer', 'tags', 'instance_name'])('a null %s is no statement', async (field) => {
    const answer = await admin.call('POST /routes/mocking/plugins', { name: 'key-auth', [field]: null });
    expect(answer.status).toBe(201);
  });
});

describe('one plugin', () => {
  let id: string;
  beforeEach(async () => {
    const config = { key_names: ['k'], realm: 'r', key_in_body: true };
    ({ id } = await add({ name: 'key-auth', instance_name: 'mine', config }));
    admin.clock.now = new Date('2026-03-01T12:01:00Z');
  });

  test('it is found by id in any case and by instance name', async () => {
    for (const key of [id, id.toUpperCase(), 'mine']) {
      for (const path of ['/plugins', '/routes/mocking/plugins']) {
        expect((await admin.call(`GET ${path}/${key}`)).body).toMatchObject({ id, instance_name: 'mine' });
      }
    }
  });

  test.for([
    ['PATCH', { config: { realm: 's' } }, { key_names: ['k'], realm: 's', key_in_body: true }, 'mine'],
    ['PATCH', { config: { key_names: ['a', 'b'] } }, { key_names: ['a', 'b'], realm: 'r', key_in_body: true }, 'mine'],
    ['PATCH', { config: { realm: null } }, { key_names: ['k'], realm: null, key_in_body: true }, 'mine'],
    ['PATCH', { config: null }, { key_names: ['apikey'], realm: null, key_in_body: false }, 'mine'],
    ['PATCH', 'config.realm=s&instance_name=', { key_names: ['k'], realm: 's', key_in_body: true }, null],
    ['PATCH', {}, { key_names: ['k'], realm: 'r', key_in_body: true }, 'mine'],
    ['PUT', { name: 'key-auth' }, { key_names: ['apikey'], realm: null, key_in_body: false }, null],
    [
      'PUT',
      { name: 'key-auth', config: { realm: 's' } },
      { key_names: ['apikey'], realm: 's', key_in_body: false },
      null,
    ],
  ] as const)('%s with %j gives the config %j', async ([method, stated, config, instance]) => {
    for (const path of [`/routes/mocking/plugins/${id}`, `/plugins/${id}`]) {
      const before = (await admin.call(`GET ${path}`)).body;
      const answer = await admin.call(`${method} ${path}`, stated);
      expect(answer).toMatchObject({ status: 200, body: { id, config, instance_name: instance } });
      expect(answer.body.updated_at).toBe(before.created_at + 60);
      expect((await admin.call(`GET ${path}`)).body).toEqual(answer.body);
    }
  });

  test('enabled=false is written as disabled, and enabled=true takes that away', async () => {
    await admin.call(`PATCH /plugins/${id}`, 'enabled=false');
    expect(admin.source.at('KongPlugin', 'mocking-key-auth')).toMatchObject({ disabled: true });
    expect((await admin.call(`PATCH /plugins/${id}`, { config: { realm: 's' } })).body.enabled).toBe(false);
    await admin.call(`PATCH /plugins/${id}`, 'enabled=true');
    expect(admin.source.at('KongPlugin', 'mocking-key-auth')).not.toHaveProperty('disabled');
    expect((await admin.call(`PUT /plugins/${id}`, { name: 'key-auth', enabled: false })).body.enabled).toBe(false);
    expect((await admin.call(`PUT /plugins/${id}`, { name: 'key-auth' })).body.enabled).toBe(true);
  });

  test('what was read can be put back', async () => {
    for (const path of [`/routes/mocking/plugins/${id}`, `/plugins/${id}`]) {
      const { body } = await admin.call(`GET ${path}`);
      const answer = await admin.call(`PUT ${path}`, body);
      expect({ ...answer.body, updated_at: 0 }).toEqual({ ...body, updated_at: 0 });
      const patched = await admin.call(`PATCH ${path}`, { ...body, protocols: [...body.protocols].reverse() });
      expect(patched.status).toBe(200);
    }
  });

  test('a change keeps what the Admin API does not show', async () => {
    const object = admin.source.at('KongPlugin', 'mocking-key-auth') as KubernetesObject;
    admin.source.set({ ...object, metadata: { ...object.metadata, labels: { a: 'b' } }, run_on: 'first' });
    await admin.call(`PATCH /plugins/${id}`, 'enabled=false');
    expect(admin.source.at('KongPlugin', 'mocking-key-auth')).toMatchObject({
      metadata: { labels: { a: 'b' } },
      run_on: 'first',
    });
  });

  test.for([
    [{ name: 'key-auth', route: { name: 'other' } }, { route: expect.stringContaining('cannot be changed') }],
    [{ name: 'no-such' }, { name: expect.stringContaining('not enabled') }],
    [{ name: 'key-auth', config: { nothing: 1 } }, { config: { nothing: 'unknown field' } }],
    [{ name: 'key-auth', id: absent }, { id: 'is given by Kubernetes and cannot be chosen' }],
    [{ name: 'key-auth', created_at: 1 }, { created_at: 'is given by Kubernetes and cannot be chosen' }],
  ])('PATCH and PUT with %j are refused', async ([stated, fields]) => {
    for (const line of [
      'PATCH /plugins/mine',
      'PUT /plugins/mine',
      'PATCH /routes/mocking/plugins/mine',
      'PUT /routes/mocking/plugins/mine',
    ]) {
      expect(await admin.call(line, stated)).toMatchObject({ status: 400, body: { fields } });
    }
  });

  test('an instance name is unique', async () => {
    const stated = { name: 'key-auth', instance_name: 'mine' };
    const answer = await admin.call('POST /routes/other/plugins', stated);
    expect(answer).toMatchObject({ status: 409, body: { code: 5, fields: { instance_name: 'mine' } } });
    await add({ name: 'key-auth', instance_name: 'yours' }, 'other');
    expect((await admin.call('PATCH /plugins/yours', stated)).status).toBe(409);
    expect((await admin.call('PATCH /plugins/mine', stated)).status).toBe(200);
  });

  test('PUT makes a plugin by instance name, and not by an id', async () => {
    const stated = { name: 'key-auth' };
    expect(await admin.call('PUT /routes/other/plugins/new', stated)).toMatchObject({
      status: 200,
      body: { instance_name: 'new', name: 'key-auth' },
    });
    for (const path of ['/routes/other/plugins', '/plugins']) {
      expect(await admin.call(`PUT ${path}/${absent}`, stated)).toMatchObject({ status: 400, body: { code: 1 } });
    }
  });

  test('below another route, an absent one or with an absent id it is 404', async () => {
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const stated = method === 'PATCH' ? {} : undefined;
      for (const path of [
        `other/plugins/${id}`,
        `nothing/plugins/${id}`,
        `mocking/plugins/${absent}`,
        'mocking/plugins/x',
      ]) {
        const answer = await admin.call(`${method} /routes/${path}`, stated);
        expect(answer).toMatchObject({ status: 404, body: { message: 'Not found' } });
      }
    }
    expect((await admin.call(`PATCH /plugins/${absent}`, {})).body).toEqual({ message: 'Not found' });
    expect((await admin.call('POST /routes/nothing/plugins', 'name=key-auth')).body).toEqual({ message: 'Not found' });
    expect(await listed('/plugins')).toHaveLength(1);
  });

  test('a config that a Secret gives is not written over', async () => {
    const object = admin.source.at('KongPlugin', 'mocking-key-auth') as KubernetesObject;
    const { config: _, ...rest } = object;
    admin.source.set({ ...rest, configFrom: { secretKeyRef: { name: 's', key: 'k' } } });
    const answer = await admin.call('PATCH /plugins/mine', { config: { realm: 'x' } });
    expect(answer).toMatchObject({ status: 400, body: { fields: { config: expect.stringContaining('configFrom') } } });
    expect((await admin.call('PATCH /plugins/mine', 'enabled=false')).status).toBe(200);
  });
});

describe('/plugins', () => {
  test('POST makes a plugin on the route that is named by id or name', async () => {
    const id = (await admin.call('GET /routes/mocking')).body.id as string;
    const answer = await admin.call('POST /plugins', { name: 'key-auth', route: { id } });
    expect(answer).toMatchObject({ status: 201, body: { route: { id } } });
    expect((await admin.call('POST /plugins', 'name=key-auth&route.name=other')).status).toBe(201);
    expect((await admin.call('POST /plugins', 'name=key-auth&route.name=other')).status).toBe(409);
  });

  test.for([
    [{}, 405, 12],
    [{ route: { id: absent } }, 400, 4],
    [{ route: { id: 'x' } }, 400, 2],
    [{ route: { name: 'x' } }, 400, 13],
    [{ route: { nothing: 'x' } }, 400, 2],
  ] as const)('POST with %j is %i with code %i', async ([stated, status, code]) => {
    const answer = await admin.call('POST /plugins', { name: 'key-auth', ...stated });
    expect(answer).toMatchObject({ status, body: { code } });
    expect(admin.source.ofKind('KongPlugin')).toEqual([]);
  });
});

test('of plugins of one type made at once on one route exactly one is made', async () => {
  const answers = await admin.callAtOnce(Array<string>(8).fill('POST /routes/mocking/plugins'), 'name=key-auth');
  const codes = answers.map(({ status, body }) => `${status} ${body.code as number}`);
  expect(codes.sort()).toEqual(['201 undefined', ...Array<string>(7).fill('409 5')]);
  expect(admin.source.ofKind('KongPlugin')).toHaveLength(1);
});
