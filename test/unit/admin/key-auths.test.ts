import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startAdmin, type TestAdmin } from '../../support/admin.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const absent = '00000000-0000-4000-8000-000000000000';

describe.for(['directory', 'api server'] as const)('on a source like a %s', (like) => {
  let admin: TestAdmin;
  beforeEach(async () => {
    admin = await startAdmin([], like);
    for (const username of ['bob', 'eve']) await admin.call('POST /consumers', { username });
  });
  afterEach(async () => admin.close());

  const idOf = async (username: string) => (await admin.call(`GET /consumers/${username}`)).body.id as string;
  const secrets = () => admin.source.ofKind('Secret');

  describe('arguments', () => {
    test.for([
      [{ key: '' }, { key: 'length must be at least 1' }],
      [{ key: null }, { key: 'length must be at least 1' }],
      [{ key: 7 }, { key: 'expected a string' }],
      [{ nothing: 1 }, { nothing: 'unknown field' }],
      [{ id: absent }, { id: 'is given by Kubernetes and cannot be chosen' }],
      [{ tags: ['a'] }, { tags: 'are not kept on credentials yet, leave them out' }],
    ] as const)('%j is refused with %j', async ([stated, fields]) => {
      const answer = await admin.call('POST /consumers/bob/key-auth', stated);
      expect(answer).toMatchObject({ status: 400, body: { code: 2, fields } });
      expect(secrets()).toEqual([]);
    });

    test('an empty form value is no wish for a generated key', async () => {
      expect((await admin.call('POST /consumers/bob/key-auth', 'key=')).status).toBe(400);
    });

    test.for([-1, 100_000_001, 1.5, '60', true, [60]])('the ttl %j in JSON is refused', async (ttl) => {
      const fault = 'must be an integer between 0 and 100000000';
      expect(await admin.call('POST /consumers/bob/key-auth', { ttl })).toMatchObject({
        status: 400,
        body: { code: 11, name: 'invalid options', message: `invalid option (ttl: ${fault})`, options: { ttl: fault } },
      });
    });

    test('the consumer in the path wins over one in the body', async () => {
      const consumer = { id: await idOf('eve') };
      const { body } = await admin.call('POST /consumers/bob/key-auth', { key: 'a', consumer });
      expect(body.consumer.id).toBe(await idOf('bob'));
    });

    test('what was read can be put back', async () => {
      const { body } = await admin.call('POST /consumers/bob/key-auth', { key: 'a', ttl: 60 });
      expect((await admin.call('PUT /consumers/bob/key-auth/a', body)).body).toEqual(body);
      expect((await admin.call('PUT /key-auths/a', body)).body).toEqual(body);
    });
  });

  describe('one credential', () => {
    let id: string;
    beforeEach(async () => {
      id = (await admin.call('POST /consumers/bob/key-auth', 'key=a')).body.id as string;
    });

    test.for([
      ['PATCH', '/consumers/bob/key-auth/a'],
      ['PATCH', '/key-auths/a'],
      ['PUT', '/consumers/bob/key-auth/{id}'],
      ['PATCH', '/key-auths/{id}'],
    ] as const)('%s %s changes the key and nothing else', async ([method, path]) => {
      const before = (await admin.call('GET /key-auths/a')).body;
      const answer = await admin.call(`${method} ${path.replace('{id}', id)}`, { key: 'b' });
      expect(answer).toMatchObject({ status: 200, body: { ...before, key: 'b' } });
      expect((await admin.call('GET /key-auths/a')).status).toBe(404);
      expect((await admin.call('GET /key-auths/b')).body).toEqual(answer.body);
      expect(secrets()).toHaveLength(1);
    });

    test('PUT by its id without a key generates one', async () => {
      const { status, body } = await admin.call(`PUT /consumers/bob/key-auth/${id}`, {});
      expect(status).toBe(200);
      expect(body).toMatchObject({ id, key: expect.stringMatching(/^[A-Za-z0-9]{32}$/) });
    });

    test.for([
      ['POST /consumers/eve/key-auth', { key: 'a' }],
      ['PUT /consumers/eve/key-auth/a', {}],
      ['PATCH /key-auths/other', { key: 'a' }],
      ['PATCH /consumers/eve/key-auth/other', { key: 'a' }],
    ] as const)('%s with %j is a conflict', async ([line, stated]) => {
      await admin.call('POST /consumers/eve/key-auth', 'key=other');
      expect(await admin.call(line, stated)).toMatchObject({ status: 409, body: { code: 5, fields: { key: 'a' } } });
    });

    test('it keeps its own key without a conflict', async () => {
      expect((await admin.call('PATCH /key-auths/a', { key: 'a' })).status).toBe(200);
      expect((await admin.call('PUT /consumers/bob/key-auth/a', {})).status).toBe(200);
    });

    test('it cannot move to another consumer, and may name its own', async () => {
      const eve = await idOf('eve');
      for (const line of ['PATCH /key-auths/a', 'PATCH /consumers/bob/key-auth/a', 'PUT /key-auths/a']) {
        const answer = await admin.call(line, { consumer: { id: eve } });
        expect(answer).toMatchObject({
          status: 400,
          body: { fields: { consumer: expect.stringContaining('cannot') } },
        });
      }
      const own = await admin.call('PATCH /key-auths/a', { consumer: { id: await idOf('bob') } });
      expect(own.status).toBe(200);
    });

    test.for(['GET', 'PATCH', 'DELETE'])(
      '%s is 404 below another consumer, an absent one, and for an absent key',
      async (method) => {
        const stated = method === 'PATCH' ? {} : undefined;
        for (const path of [
          'eve/key-auth/a',
          `eve/key-auth/${id}`,
          'nobody/key-auth/a',
          `bob/key-auth/${absent}`,
          'bob/key-auth/x',
        ]) {
          const answer = await admin.call(`${method} /consumers/${path}`, stated);
          expect(answer).toMatchObject({ status: 404, body: { message: 'Not found' } });
        }
        expect(secrets()).toHaveLength(1);
      },
    );

    test('its consumer is found by it', async () => {
      for (const key of ['a', id]) {
        expect((await admin.call(`GET /key-auths/${key}/consumer`)).body).toMatchObject({ username: 'bob' });
      }
      expect((await admin.call('GET /key-auths/x/consumer')).status).toBe(404);
    });

    test('a flat DELETE is 204 whether it is there or not', async () => {
      for (const key of ['a', 'a', absent]) expect((await admin.call(`DELETE /key-auths/${key}`)).status).toBe(204);
      expect(secrets()).toEqual([]);
    });

    test.for([
      [{ key: 'nothing' }, 'nothing', 'could not find the entity with \'{key="nothing"}\''],
      [{ id: absent }, absent, `could not find the entity with primary key '{id="${absent}"}'`],
    ] as const)('a flat PATCH of %j is 404 with code 6', async ([fields, key, message]) => {
      expect(await admin.call(`PATCH /key-auths/${key}`, {})).toMatchObject({
        status: 404,
        body: { code: 6, name: 'not found', message, fields },
      });
    });
  });

  describe('/key-auths', () => {
    test('POST makes one for the consumer that is named by id or username, in JSON or a form', async () => {
      const bob = await idOf('bob');
      const stated = [
        { consumer: { id: bob } },
        { consumer: { username: 'bob' } },
        `consumer.id=${bob}`,
        `consumer[id]=${bob}`,
      ];
      for (const each of stated) {
        const answer = await admin.call('POST /key-auths', each);
        expect(answer).toMatchObject({ status: 201, body: { consumer: { id: bob }, id: expect.stringMatching(uuid) } });
      }
      expect(admin.source.at('KongConsumer', 'bob')?.['credentials']).toHaveLength(4);
    });

    test('PUT makes one by key, and not by id', async () => {
      const consumer = { username: 'bob' };
      expect(await admin.call('PUT /key-auths/new', { consumer })).toMatchObject({ status: 200, body: { key: 'new' } });
      expect(await admin.call(`PUT /key-auths/${absent}`, { consumer })).toMatchObject({
        status: 400,
        body: { code: 1 },
      });
      expect(await admin.call('PUT /key-auths/newer', {})).toMatchObject({
        status: 400,
        body: { fields: { consumer: 'required field missing' } },
      });
    });

    test.for([
      [
        { id: absent },
        4,
        `the foreign key '{id="${absent}"}' does not reference an existing 'consumers' entity.`,
        { consumer: { id: absent } },
      ],
      [
        { username: 'x' },
        13,
        `foreign key unresolved (consumer.username: the foreign key cannot be resolved with '{username="x"}' for an existing 'consumers' entity)`,
        {
          consumer: {
            username: `the foreign key cannot be resolved with '{username="x"}' for an existing 'consumers' entity`,
          },
        },
      ],
      [
        { id: 'x' },
        2,
        'schema violation (consumer.id: expected a valid UUID)',
        { consumer: { id: 'expected a valid UUID' } },
      ],
      [{}, 2, 'schema violation (consumer.id: missing primary key)', { consumer: { id: 'missing primary key' } }],
      ['x', 2, 'schema violation (consumer: expected an object)', { consumer: 'expected an object' }],
    ] as const)('the consumer %j is refused', async ([consumer, code, message, fields]) => {
      const answer = await admin.call('POST /key-auths', { key: 'a', consumer });
      expect(answer).toMatchObject({ status: 400, body: { code, message, fields } });
      expect(secrets()).toEqual([]);
    });
  });

  test('of credentials with the same key made at once exactly one is made', async () => {
    const lines = Array.from({ length: 8 }, (_, i) => `POST /consumers/${i % 2 === 0 ? 'bob' : 'eve'}/key-auth`);
    const answers = await admin.callAtOnce(lines, 'key=same');
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, ...Array<number>(7).fill(409)]);
    expect(secrets()).toHaveLength(1);
  });

  test('credentials made at once for one consumer are all listed', async () => {
    await admin.callAtOnce(Array<string>(8).fill('POST /consumers/bob/key-auth'), 'ttl=60');
    expect((await admin.call('GET /consumers/bob/key-auth')).body.data).toHaveLength(8);
  });
});

describe('when a credential was last used', () => {
  const minuteMs = 60_000;
  const noonMs = Date.parse('2026-03-01T12:00:00Z');
  const bob = (minute: number) => ({
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongConsumer',
    metadata: { name: 'bob', namespace: 'default', annotations: { 'kubernetes.io/ingress.class': 'kong' } },
    username: 'bob',
    credentials: ['bobs-key'],
    status: { credentials: [{ name: 'bobs-key', lastUsedTime: new Date(noonMs + minute * minuteMs).toISOString() }] },
  });
  const key = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'bobs-key', namespace: 'default', labels: { 'konghq.com/credential': 'key-auth' } },
    stringData: { key: 'a' },
  };

  test.for([
    ['as this process saw it', 3, 5, 5],
    ['as others did', 7, 5, 7],
    ['as others alone did', 7, undefined, 7],
  ] as const)('is told %s, whatever is later', async ([, stated, seen, told]) => {
    const asked: object[] = [];
    const admin = await startAdmin([bob(stated), key], 'api server', {
      lastUsedMs(credential) {
        asked.push(credential);
        return seen === undefined ? undefined : noonMs + seen * minuteMs;
      },
    });
    onTestFinished(async () => admin.close());
    const { body } = await admin.call('GET /consumers/bob/key-auth/a');
    expect(body.last_used_at).toBe((noonMs + told * minuteMs) / 1000);
    expect(asked).toEqual([{ namespace: 'default', secret: 'bobs-key', consumer: 'bob' }]);
  });

  test('is not told where it is not noted, whatever the status has', async () => {
    const admin = await startAdmin([bob(3), key], 'api server');
    onTestFinished(async () => admin.close());
    expect((await admin.call('GET /consumers/bob/key-auth/a')).body).not.toHaveProperty('last_used_at');
  });
});
