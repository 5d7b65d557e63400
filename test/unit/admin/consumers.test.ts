import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { startAdmin, type TestAdmin } from '../../support/admin.ts';

let admin: TestAdmin;
beforeEach(async () => {
  admin = await startAdmin();
});
afterEach(async () => admin.close());

function consumer(name: string, fields: object, annotations: Record<string, string> = {}): KubernetesObject {
  return {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongConsumer',
    metadata: { name, namespace: 'default', annotations: { 'kubernetes.io/ingress.class': 'kong', ...annotations } },
    ...fields,
  };
}

describe('what a write becomes', () => {
  test('a consumer is a KongConsumer of our class, named after it', async () => {
    await admin.call('POST /consumers', { username: 'bob', custom_id: 'b-1', tags: ['a', 'b'] });
    expect(admin.source.ofKind('KongConsumer')).toEqual([
      {
        apiVersion: 'configuration.konghq.com/v1',
        kind: 'KongConsumer',
        metadata: {
          name: 'bob',
          namespace: 'default',
          uid: expect.any(String),
          creationTimestamp: '2026-03-01T12:00:00.000Z',
          annotations: { 'kubernetes.io/ingress.class': 'kong' },
        },
        username: 'bob',
        custom_id: 'b-1',
        spec: { tags: ['a', 'b'] },
      },
    ]);
  });

  test.for([
    [{ username: 'Bob' }, /^bob-[0-9a-f]{8}$/],
    [{ username: 'bob smith@example.com' }, /^bob-smith-example.com-[0-9a-f]{8}$/],
    [{ custom_id: 'only-custom' }, /^only-custom$/],
    [{ username: '🔑' }, /^[0-9a-f]{8}$/],
    [{ username: '../../etc/passwd' }, /^[a-z0-9.-]+$/],
  ] as const)('%j is named %s', async ([stated, name]) => {
    const answer = await admin.call('POST /consumers', stated);
    expect(answer).toMatchObject({ status: 201, body: stated });
    expect(admin.source.ofKind('KongConsumer').map(({ metadata }) => metadata.name)).toEqual([
      expect.stringMatching(name),
    ]);
  });

  test('a name that another object has is not taken from it, though that object is invalid or not ours', async () => {
    admin.source.set(consumer('bob', { credentials: 7 }));
    admin.source.set(consumer('eve', { username: 'someone' }, { 'kubernetes.io/ingress.class': 'other' }));
    expect((await admin.call('POST /consumers', 'username=bob')).status).toBe(201);
    expect((await admin.call('POST /consumers', 'username=eve')).status).toBe(201);
    expect(admin.source.at('KongConsumer', 'bob')).toMatchObject({ credentials: 7 });
    expect(admin.source.at('KongConsumer', 'eve')).toMatchObject({ username: 'someone' });
  });

  test('an object that came meanwhile is not written over', async () => {
    admin.source.addQuietly(consumer('bob', { username: 'someone' }));
    expect(await admin.call('POST /consumers', 'username=bob')).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining('KongConsumer default/bob') },
    });
    expect(admin.source.at('KongConsumer', 'bob')).toMatchObject({ username: 'someone' });
  });

  test('an object that went meanwhile is not brought back', async () => {
    await admin.call('POST /consumers', 'username=bob');
    admin.source.loseQuietly({ kind: 'KongConsumer', namespace: 'default', name: 'bob' });
    expect((await admin.call('PATCH /consumers/bob', 'custom_id=x')).status).toBe(409);
    expect(admin.source.ofKind('KongConsumer')).toEqual([]);
  });

  test('a change keeps what the Admin API does not show', async () => {
    const more = { consumerGroups: ['gold'], credentials: ['a'], spec: { tags: ['t'] } };
    admin.source.set(consumer('bob', { username: 'bob', ...more }, { note: 'mine' }));
    await admin.call('PATCH /consumers/bob', { custom_id: 'x', tags: null });
    expect(admin.source.at('KongConsumer', 'bob')).toMatchObject({
      metadata: { annotations: { note: 'mine', 'latchkey.dev/updated-at': '2026-03-01T12:00:00.000Z' } },
      consumerGroups: ['gold'],
      credentials: ['a'],
      username: 'bob',
      custom_id: 'x',
    });
    expect(admin.source.at('KongConsumer', 'bob')).not.toHaveProperty('spec');
  });
});

describe('arguments', () => {
  test.for([
    [{ username: 7 }, { username: 'expected a string' }],
    [{ username: '' }, { username: 'length must be at least 1' }],
    [{ username: 'bob', nothing: 1 }, { nothing: 'unknown field' }],
    [{ username: 'bob', nothing: null }, { nothing: 'unknown field' }],
    [{ username: 'bob', 'a.b': 1 }, { 'a.b': 'unknown field' }],
    [{ username: 'bob', 'username.b': 1 }, { 'username.b': 'unknown field' }],
    [{ username: 'bob', 'a[999999999]': 1 }, { 'a[999999999]': 'unknown field' }],
    [{ username: 'bob', tags: 'a' }, { tags: 'expected an array' }],
    [{ username: 'bob', tags: ['a', 7] }, { tags: [null, 'expected a string'] }],
    [
      { username: 'bob', tags: ['a,b'] },
      { tags: ["invalid tag 'a,b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"] },
    ],
    [{ username: 'a\nb' }, { username: 'has a control character, which no header can carry' }],
    [{ custom_id: 'a\u0000b' }, { custom_id: 'has a control character, which no header can carry' }],
    [{ username: 'bob', id: 'x' }, { id: 'is given by Kubernetes and cannot be chosen' }],
    [{ username: 'bob', created_at: 1 }, { created_at: 'is given by Kubernetes and cannot be chosen' }],
  ] as const)('%j is refused with %j', async ([stated, fields]) => {
    const answer = await admin.call('POST /consumers', stated);
    expect(answer).toMatchObject({ status: 400, body: { code: 2, name: 'schema violation', fields } });
    expect(admin.source.ofKind('KongConsumer')).toEqual([]);
  });

  test('all faults are told at once, by name', async () => {
    const { body } = await admin.call('POST /consumers', { username: 7, custom_id: 8, x: 1 });
    expect(body.message).toBe(
      '3 schema violations (custom_id: expected a string; username: expected a string; x: unknown field)',
    );
  });

  test.for(['username=&custom_id=', 'username='])('the empty form values of %s are null', async (form) => {
    const { status, body } = await admin.call('POST /consumers', form);
    expect(status).toBe(400);
    expect(body.fields).toHaveProperty('@entity');
  });

  test.for(['tags=a', 'tags[]=a', 'tags%5B%5D=a', 'tags[1]=a'])('the form %s is a list', async (form) => {
    const { body } = await admin.call('POST /consumers', `username=bob&${form}`);
    expect(body.tags).toEqual(['a']);
  });

  test.for(['tags=a&tags=b', 'tags[]=a&tags[]=b', 'tags[1]=a&tags[2]=b', 'tags[2]=b&tags[1]=a'])(
    'the form %s is a list of two',
    async (form) => {
      const { body } = await admin.call('POST /consumers', `username=bob&${form}`);
      expect(body.tags).toEqual(['a', 'b']);
    },
  );

  test.for([
    ['username=a+b%2Bc', 'a b+c'],
    ['username=100%', '100%'],
    ['username=%zz', '%zz'],
    ['username=a=b', 'a=b'],
    ['username=1', '1'],
    ['username=true', 'true'],
    ['username=%F0%9F%94%91', '🔑'],
  ])('the form %s is the username %s', async ([form, username]) => {
    expect((await admin.call('POST /consumers', form)).body).toMatchObject({ username });
  });
});

describe('one consumer', () => {
  beforeEach(async () => {
    await admin.call('POST /consumers', { username: 'bob', custom_id: 'b-1', tags: ['t'] });
    admin.clock.now = new Date('2026-03-01T12:01:00Z');
  });
  const id = async () => (await admin.call('GET /consumers/bob')).body.id as string;

  test('it is found by username and by id in any case, and not by custom_id or object', async () => {
    for (const key of ['bob', await id(), (await id()).toUpperCase()]) {
      expect((await admin.call(`GET /consumers/${key}`)).body).toMatchObject({ username: 'bob' });
    }
    expect(await admin.call('GET /consumers/b-1')).toMatchObject({ status: 404, body: { message: 'Not found' } });
  });

  test('a username that looks like a UUID is only looked up as an id', async () => {
    const username = '7deb6e70-60be-4dd2-b374-06551479ea5e';
    const created = await admin.call('POST /consumers', { username });
    expect(created.status).toBe(201);
    expect((await admin.call(`GET /consumers/${username}`)).status).toBe(404);
    expect((await admin.call(`GET /consumers/${created.body.id as string}`)).body).toMatchObject({ username });
  });

  test.for([
    ['PATCH', { tags: null }, { username: 'bob', custom_id: 'b-1', tags: null }],
    ['PATCH', {}, { username: 'bob', custom_id: 'b-1', tags: ['t'] }],
    ['PATCH', 'custom_id=', { username: 'bob', custom_id: null, tags: ['t'] }],
    ['PATCH', { tags: ['u'] }, { username: 'bob', custom_id: 'b-1', tags: ['u'] }],
    ['PUT', {}, { username: 'bob', custom_id: null, tags: null }],
    ['PUT', { username: 'ignored', custom_id: 'c' }, { username: 'bob', custom_id: 'c', tags: null }],
  ] as const)('%s of %j gives %j', async ([method, stated, wanted]) => {
    const before = (await admin.call('GET /consumers/bob')).body;
    const answer = await admin.call(`${method} /consumers/bob`, stated);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ ...before, ...wanted, updated_at: before.updated_at + 60 });
    expect((await admin.call('GET /consumers/bob')).body).toEqual(answer.body);
  });

  test('it cannot lose both of its names', async () => {
    const answer = await admin.call('PATCH /consumers/bob', { username: null, custom_id: null });
    expect(answer).toMatchObject({ status: 400, body: { code: 2 } });
  });

  test('what was read can be put back', async () => {
    const { body } = await admin.call('GET /consumers/bob');
    expect((await admin.call('PUT /consumers/bob', body)).status).toBe(200);
    expect((await admin.call(`PUT /consumers/${body.id as string}`, { ...body, tags: ['u'] })).body).toMatchObject({
      id: body.id,
      tags: ['u'],
    });
  });

  test('PUT makes a consumer by username, and not by an id, which Kubernetes gives', async () => {
    expect(await admin.call('PUT /consumers/eve', {})).toMatchObject({ status: 200, body: { username: 'eve' } });
    const absent = '00000000-0000-4000-8000-000000000000';
    const answer = await admin.call(`PUT /consumers/${absent}`, { username: 'x' });
    expect(answer).toMatchObject({ status: 400, body: { code: 1, fields: { id: absent } } });
    expect(answer.body.message).toContain('ids are given by Kubernetes');
  });

  test.for([
    ['nobody', 'could not find the entity with \'{username="nobody"}\'', { username: 'nobody' }],
    [
      '00000000-0000-4000-8000-000000000000',
      'could not find the entity with primary key \'{id="00000000-0000-4000-8000-000000000000"}\'',
      { id: '00000000-0000-4000-8000-000000000000' },
    ],
  ] as const)('PATCH of the absent %s is 404 with code 6', async ([key, message, fields]) => {
    const answer = await admin.call(`PATCH /consumers/${key}`, {});
    expect(answer).toMatchObject({ status: 404, body: { code: 6, name: 'not found', message, fields } });
  });

  test.for([
    ['POST /consumers', { username: 'bob' }, { username: 'bob' }],
    ['PATCH /consumers/eve', { username: 'bob' }, { username: 'bob' }],
    ['PATCH /consumers/eve', { custom_id: 'b-1' }, { custom_id: 'b-1' }],
    ['PUT /consumers/eve', { custom_id: 'b-1' }, { custom_id: 'b-1' }],
  ] as const)('%s with %j is a conflict', async ([line, stated, fields]) => {
    await admin.call('POST /consumers', { username: 'eve' });
    expect(await admin.call(line, stated)).toMatchObject({ status: 409, body: { code: 5, fields } });
  });

  test('DELETE is 204 whether it is there or not', async () => {
    for (const key of ['bob', 'bob', 'nobody', '00000000-0000-4000-8000-000000000000']) {
      expect(await admin.call(`DELETE /consumers/${key}`)).toMatchObject({ status: 204, text: '' });
    }
    expect(admin.source.ofKind('KongConsumer')).toEqual([]);
  });
});

test('of consumers of the same name made at once exactly one is made, the others are told of the name', async () => {
  const answers = await admin.callAtOnce(Array<string>(8).fill('POST /consumers'), 'username=bob');
  const codes = answers.map(({ status, body }) => `${status} ${body.code as number}`);
  expect(codes.sort()).toEqual(['201 undefined', ...Array<string>(7).fill('409 5')]);
  expect(admin.source.ofKind('KongConsumer')).toHaveLength(1);
});

describe('which consumers there are', () => {
  test('only those of our ingress class, which alone take a name', async () => {
    admin.source.set(
      consumer('ours', { username: 'ours' }),
      consumer('theirs', { username: 'theirs' }, { 'kubernetes.io/ingress.class': 'other' }),
      { ...consumer('nobodys', { username: 'nobodys' }), metadata: { name: 'nobodys', namespace: 'default' } },
    );
    const { body } = await admin.call('GET /consumers');
    expect(body.data.map(({ username }: { username: string }) => username)).toEqual(['ours']);
    expect((await admin.call('GET /consumers/theirs')).status).toBe(404);
    expect((await admin.call('DELETE /consumers/theirs')).status).toBe(204);
    expect(admin.source.at('KongConsumer', 'theirs')).toBeDefined();
    expect((await admin.call('POST /consumers', 'username=theirs')).status).toBe(201);
  });

  test('without a class they are ours when our IngressClass is the default', async () => {
    admin.source.set({ ...consumer('a', { username: 'a' }), metadata: { name: 'a', namespace: 'default' } });
    expect((await admin.call('GET /consumers/a')).status).toBe(404);
    admin.source.set({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'kong', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    });
    expect((await admin.call('GET /consumers/a')).status).toBe(200);
  });

  test('of two of the same name the older is meant, as in the table', async () => {
    const at = (year: number, name: string) => {
      const object = consumer(name, { username: 'bob', custom_id: name });
      return { ...object, metadata: { ...object.metadata, creationTimestamp: `${year}-01-01T00:00:00Z` } };
    };
    admin.source.set(at(2025, 'a'), at(2024, 'b'));
    expect((await admin.call('GET /consumers/bob')).body).toMatchObject({ custom_id: 'b' });
  });

  test('?custom_id= finds one or none', async () => {
    await admin.call('POST /consumers', { username: 'bob', custom_id: 'b-1' });
    await admin.call('POST /consumers', { username: 'eve', custom_id: 'e-1' });
    const found = await admin.call('GET /consumers?custom_id=b-1');
    expect(found.body).toEqual({ data: [expect.objectContaining({ username: 'bob' })], next: null });
    expect((await admin.call('GET /consumers?custom_id=x')).body).toEqual({ data: [], next: null });
    const empty = await admin.call('GET /consumers?custom_id=');
    expect(empty).toMatchObject({ status: 400, body: { message: 'custom_id must be an unempty string' } });
  });
});
