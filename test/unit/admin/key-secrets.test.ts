import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { startAdmin, type TestAdmin } from '../../support/admin.ts';

const absent = '00000000-0000-4000-8000-000000000000';
const start = Date.parse('2026-03-01T12:00:00Z');

function consumerListing(name: string, credentials: readonly string[], className = 'kong'): KubernetesObject {
  const annotations = { 'kubernetes.io/ingress.class': className };
  return {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongConsumer',
    metadata: { name, namespace: 'default', annotations },
    username: name,
    credentials,
  };
}

function secretHolding(name: string, fields: Record<string, unknown>, type = 'key-auth'): KubernetesObject {
  const labels = { 'konghq.com/credential': type };
  const metadata = { name, namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z', labels };
  return { apiVersion: 'v1', kind: 'Secret', metadata, ...fields };
}

describe.for(['directory', 'api server'] as const)('on a source like a %s', (like) => {
  let admin: TestAdmin;
  beforeEach(async () => {
    admin = await startAdmin([], like);
    for (const username of ['bob', 'eve']) await admin.call('POST /consumers', { username });
  });
  afterEach(async () => admin.close());

  const after = (seconds: number): void => void (admin.clock.now = new Date(start + seconds * 1000));
  const secrets = () => admin.source.ofKind('Secret');

  describe('what a write becomes', () => {
    test('a credential is a labelled Secret that its consumer lists, in one write', async () => {
      await admin.call('POST /consumers/bob/key-auth', 'key=apikey&ttl=60');
      const [object] = secrets();
      const name = object?.metadata.name ?? '';
      expect(name).toMatch(/^bob-key-auth-[a-z0-9]{6}$/);
      expect(object).toMatchObject({
        apiVersion: 'v1',
        metadata: {
          namespace: 'default',
          creationTimestamp: '2026-03-01T12:00:00.000Z',
          labels: { 'konghq.com/credential': 'key-auth' },
        },
        ...(like === 'directory'
          ? { stringData: { key: 'apikey', ttl: '60' } }
          : { data: { key: btoa('apikey'), ttl: btoa('60') } }),
      });
      expect(admin.source.at('KongConsumer', 'bob')).toMatchObject({ credentials: [name] });
      expect(admin.source.batches().at(-1)).toEqual([`Secret/${name}`, 'KongConsumer/bob']);
    });

    test('deleting one takes it from the list first, and keeps the others', async () => {
      for (const key of ['a', 'b']) await admin.call('POST /consumers/bob/key-auth', { key });
      const [first, second] = secrets().map(({ metadata }) => metadata.name);
      expect((await admin.call('DELETE /consumers/bob/key-auth/a')).status).toBe(204);
      expect(admin.source.batches().at(-1)).toEqual(['KongConsumer/bob', `-Secret/${first}`]);
      expect(admin.source.at('KongConsumer', 'bob')).toMatchObject({ credentials: [second] });
      await admin.call('DELETE /consumers/bob/key-auth/b');
      expect(admin.source.at('KongConsumer', 'bob')).not.toHaveProperty('credentials');
    });

    test('deleting a consumer deletes its credentials after it, save those that another lists', async () => {
      admin.source.set(
        secretHolding('own', { stringData: { key: 'own' } }),
        secretHolding('shared', { stringData: { key: 'shared' } }),
        secretHolding('other-type', { stringData: { username: 'x' } }, 'basic-auth'),
        { ...secretHolding('unlabelled', {}), metadata: { name: 'unlabelled', namespace: 'default' } },
        consumerListing('bob', ['own', 'shared', 'other-type', 'unlabelled', 'absent', 'own']),
        consumerListing('eve', ['shared']),
      );
      expect((await admin.call('DELETE /consumers/bob')).status).toBe(204);
      expect(admin.source.batches().at(-1)).toEqual(['-KongConsumer/bob', '-Secret/own', '-Secret/other-type']);
      expect((await admin.call('GET /consumers/eve/key-auth')).body.data).toHaveLength(1);
    });

    test('deleting one that another consumer lists too leaves it to that one', async () => {
      admin.source.set(
        secretHolding('shared', { stringData: { key: 'shared' } }),
        consumerListing('bob', ['shared']),
        consumerListing('eve', ['shared']),
      );
      expect((await admin.call('DELETE /consumers/bob/key-auth/shared')).status).toBe(204);
      expect((await admin.call('GET /consumers/eve/key-auth/shared')).status).toBe(200);
      expect((await admin.call('GET /consumers/bob/key-auth/shared')).status).toBe(404);
    });

    test('a consumer that went meanwhile is not brought back, and no Secret is left behind', async () => {
      admin.source.loseQuietly({ kind: 'KongConsumer', namespace: 'default', name: 'bob' });
      expect((await admin.call('POST /consumers/bob/key-auth', 'key=a')).status).toBe(409);
      expect(secrets()).toEqual([]);
      expect(admin.source.at('KongConsumer', 'bob')).toBeUndefined();
    });

    test('a Secret that went meanwhile is not brought back without its key', async () => {
      await admin.call('POST /consumers/bob/key-auth', 'key=a');
      const name = secrets()[0]?.metadata.name ?? '';
      admin.source.loseQuietly({ kind: 'Secret', namespace: 'default', name });
      expect((await admin.call('PATCH /consumers/bob/key-auth/a', 'ttl=60')).status).toBe(409);
      expect(secrets()).toEqual([]);
    });
  });

  describe('keys', () => {
    test('a generated key has 32 letters and digits, and no two are the same', async () => {
      const keys = new Set<string>();
      for (let i = 0; i < 20; i += 1) keys.add((await admin.call('POST /consumers/bob/key-auth')).body.key as string);
      expect([...keys].every((key) => /^[A-Za-z0-9]{32}$/.test(key))).toBe(true);
      expect(keys.size).toBe(20);
      expect(new Set([...keys].join('')).size).toBeGreaterThan(58);
    });

    test.for(['key with space', 'ключ', 'a/b', '%', 'x'.repeat(5_000), '"quoted"', 'line\nbreak', 'true', '0'])(
      'the key %j is kept and found as it is',
      async (key) => {
        const created = await admin.call('POST /consumers/bob/key-auth', { key });
        expect(created).toMatchObject({ status: 201, body: { key } });
        const found = await admin.call(`GET /key-auths/${encodeURIComponent(key)}`);
        expect(found.body).toEqual(created.body);
      },
    );

    test('a key is found exactly', async () => {
      await admin.call('POST /consumers/bob/key-auth', { key: 'Abc' });
      for (const key of ['abc', 'Abc ', 'Ab', 'Abcd']) {
        expect((await admin.call(`GET /key-auths/${encodeURIComponent(key)}`)).status).toBe(404);
      }
    });

    test('a key that looks like a UUID is only looked up as an id', async () => {
      const created = await admin.call('POST /consumers/bob/key-auth', { key: absent });
      expect(created.status).toBe(201);
      for (const path of [`/key-auths/${absent}`, `/consumers/bob/key-auth/${absent}`]) {
        expect((await admin.call(`GET ${path}`)).status).toBe(404);
      }
      const id = created.body.id as string;
      expect((await admin.call(`GET /key-auths/${id.toUpperCase()}`)).body.key).toBe(absent);
    });

    test('the store never holds one', async () => {
      await admin.call('POST /consumers/bob/key-auth', { key: 'planted-key' });
      const ref = { kind: 'Secret', namespace: 'default', name: secrets()[0]?.metadata.name ?? '' };
      expect(JSON.stringify(admin.store.find(ref))).not.toContain('planted-key');
      expect((await admin.call('GET /key-auths')).body.data).toMatchObject([{ key: 'planted-key' }]);
    });

    test('a Secret as its author wrote it is shown, whichever way it holds the key', async () => {
      admin.source.set(
        secretHolding('plain', { stringData: { key: 'from-text' } }),
        secretHolding('encoded', { data: { key: btoa('from-data') } }),
        secretHolding('both', { data: { key: btoa('loses') }, stringData: { key: 'wins' } }),
        secretHolding('empty', {}),
        secretHolding('not-ours', { stringData: { key: 'x' } }, 'basic-auth'),
        secretHolding('unlisted', { stringData: { key: 'y' } }),
        secretHolding('foreign', { stringData: { key: 'z' } }),
        consumerListing('bob', ['plain', 'encoded', 'both', 'empty', 'not-ours', 'absent', 'plain']),
        consumerListing('other-class', ['foreign'], 'other'),
      );
      const wanted = ['from-data', 'from-text', null, 'wins'];
      for (const path of ['/consumers/bob/key-auth', '/key-auths']) {
        const { body } = await admin.call(`GET ${path}`);
        const keys = (body.data as { key: string | null }[]).map(({ key }) => key);
        expect(keys.sort((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual(wanted);
      }
    });
  });

  describe('ttl', () => {
    const ttlOf = async () => (await admin.call('GET /key-auths/a')).body.ttl as number | null;

    test('reads give the whole seconds that are left, and an expired one is gone', async () => {
      await admin.call('POST /consumers/bob/key-auth', 'key=a&ttl=60');
      expect(await ttlOf()).toBe(60);
      after(0.5);
      expect(await ttlOf()).toBe(59);
      after(59.9);
      expect(await ttlOf()).toBe(0);
      after(60);
      for (const path of ['/key-auths/a', '/consumers/bob/key-auth/a']) {
        expect((await admin.call(`GET ${path}`)).status).toBe(404);
      }
      expect((await admin.call('GET /key-auths')).body.data).toEqual([]);
      expect((await admin.call('GET /consumers/bob/key-auth')).body.data).toEqual([]);
    });

    test('0 is for ever', async () => {
      expect((await admin.call('POST /consumers/bob/key-auth', 'key=a&ttl=0')).body.ttl).toBeNull();
    });

    test('PATCH with a ttl counts from now, without keeps the expiry, with 0 or null clears it', async () => {
      await admin.call('POST /consumers/bob/key-auth', 'key=a&ttl=60');
      after(30);
      expect((await admin.call('PATCH /key-auths/a', { ttl: 100 })).body.ttl).toBe(100);
      after(50.5);
      expect((await admin.call('PATCH /key-auths/a', { key: 'a' })).body.ttl).toBe(79);
      expect((await admin.call('PATCH /key-auths/a', { ttl: 100 })).body.ttl).toBe(100);
      expect((await admin.call('PATCH /key-auths/a', { ttl: 0 })).body.ttl).toBeNull();
      await admin.call('PATCH /key-auths/a', { ttl: 60 });
      expect((await admin.call('PATCH /key-auths/a', { ttl: null })).body.ttl).toBeNull();
    });

    test('PUT without a ttl clears it', async () => {
      await admin.call('POST /consumers/bob/key-auth', 'key=a&ttl=60');
      expect((await admin.call('PUT /consumers/bob/key-auth/a', {})).body.ttl).toBeNull();
    });

    test('one that would end beyond the longest from its creation, where it would not be in force, is refused', async () => {
      await admin.call('POST /consumers/bob/key-auth', 'key=a&ttl=60');
      after(10);
      const answer = await admin.call('PATCH /key-auths/a', { ttl: 100_000_000 });
      expect(answer).toMatchObject({ status: 400, body: { code: 11 } });
      expect(answer.body.message).toContain('between 0 and 99999990');
      expect((await admin.call('PATCH /key-auths/a', { ttl: 99_999_990 })).status).toBe(200);
    });

    test('a Secret without a creation time gets one to count from', async () => {
      const object = secretHolding('s', { stringData: { key: 'a' } });
      const { creationTimestamp: _, ...metadata } = object.metadata;
      admin.source.set({ ...object, metadata }, consumerListing('bob', ['s']));
      expect((await admin.call('PATCH /key-auths/a', { ttl: 60 })).body).toMatchObject({
        ttl: 60,
        created_at: start / 1000,
      });
    });

    test('an expired one makes room for a new one with its key', async () => {
      await admin.call('POST /consumers/bob/key-auth', 'key=a&ttl=60');
      expect((await admin.call('POST /consumers/eve/key-auth', 'key=a')).status).toBe(409);
      after(60);
      expect((await admin.call('POST /consumers/eve/key-auth', 'key=a')).status).toBe(201);
      expect(secrets()).toHaveLength(1);
      expect(admin.source.at('KongConsumer', 'bob')).not.toHaveProperty('credentials');
      await admin.call('POST /consumers/bob/key-auth', 'key=b&ttl=60');
      after(200);
      expect((await admin.call('PATCH /key-auths/a', { key: 'b' })).body).toMatchObject({ key: 'b' });
      expect(secrets()).toHaveLength(1);
    });
  });
});
