import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { ingressNamed, startAdmin, type TestAdmin } from '../../support/admin.ts';

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

function service(name: string, metadata: object): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default', ...metadata } };
}

const annotationOf = (kind: string, name: string) =>
  admin.source.at(kind, name)?.metadata.annotations?.['konghq.com/plugins'];
const listed = async (path: string) => (await admin.call(`GET ${path}`)).body.data as { id: string; name: string }[];

describe('plugins that several share', () => {
  let id: string;
  beforeEach(async () => {
    admin.source.set(
      plugin('shared'),
      ingressNamed('mocking', named('shared')),
      ingressNamed('other', named('shared')),
      service('web', named('a, shared')),
    );
    id = (await listed('/routes/mocking/plugins'))[0]?.id ?? '';
  });

  test('each route shows it as its own', async () => {
    for (const route of ['mocking', 'other']) {
      const { body } = await admin.call(`GET /routes/${route}/plugins/${id}`);
      expect(body.route.id).toBe((await admin.call(`GET /routes/${route}`)).body.id);
    }
    expect(await listed('/plugins')).toHaveLength(1);
  });

  test('by way of one route it is not changed for the others', async () => {
    for (const method of ['PATCH', 'PUT']) {
      const answer = await admin.call(`${method} /routes/mocking/plugins/${id}`, { name: 'key-auth', enabled: false });
      expect(answer.status).toBe(409);
      expect(answer.body.message).toContain('Ingress default/other, Service default/web');
    }
    expect((await admin.call(`PATCH /plugins/${id}`, { enabled: false })).body.enabled).toBe(false);
  });

  test('deleting it from one route leaves it to the others', async () => {
    expect((await admin.call(`DELETE /routes/mocking/plugins/${id}`)).status).toBe(204);
    expect(annotationOf('Ingress', 'mocking')).toBeUndefined();
    expect(annotationOf('Ingress', 'other')).toBe('shared');
    expect(admin.source.at('KongPlugin', 'shared')).toBeDefined();
  });

  test('deleting it takes it from everything that names it, in one write', async () => {
    admin.source.set(ingressNamed('elsewhere', { namespace: 'team', ...named('shared') }));
    expect((await admin.call(`DELETE /plugins/${id}`)).status).toBe(204);
    expect(admin.source.batches().at(-1)).toEqual([
      'Ingress/mocking',
      'Ingress/other',
      'Service/web',
      '-KongPlugin/shared',
    ]);
    expect(annotationOf('Service', 'web')).toBe('a');
    expect(admin.source.at('Ingress', 'elsewhere', 'team')?.metadata.annotations).toMatchObject(
      named('shared').annotations,
    );
  });

  test('a referrer that went meanwhile is no hindrance to deleting it', async () => {
    admin.source.loseQuietly({ kind: 'Service', namespace: 'default', name: 'web' });
    expect((await admin.call(`DELETE /plugins/${id}`)).status).toBe(204);
    expect(admin.source.at('Service', 'web')).toBeUndefined();
  });
});

describe('which plugins there are', () => {
  test('those that something names, and global ones of our class', async () => {
    admin.source.set(
      plugin('on-route'),
      plugin('on-service'),
      plugin('on-nothing'),
      plugin('invalid', { disabled: 'x' }),
      clusterPlugin('on-route-too'),
      clusterPlugin('everywhere', { labels: { global: 'true' } }),
      clusterPlugin('nowhere'),
      clusterPlugin('theirs', { labels: { global: 'true' }, annotations: { 'kubernetes.io/ingress.class': 'x' } }),
      ingressNamed('mocking', named('on-route, invalid, on-route-too, missing, on-route')),
      ingressNamed('foreign', {
        annotations: { 'kubernetes.io/ingress.class': 'x', 'konghq.com/plugins': 'on-nothing' },
      }),
      service('web', named('on-service')),
    );
    const all = (await admin.call('GET /plugins')).body.data as Record<string, { id: string } | null>[];
    const route = { id: (await admin.call('GET /routes/mocking')).body.id as string };
    const web = { id: admin.source.at('Service', 'web')?.metadata.uid ?? '' };
    const scopes = all.map((entity) => [entity['route'], entity['service'], entity['consumer']]);
    const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
    const wanted = [
      [route, null, null],
      [route, null, null],
      [null, web, null],
      [null, null, null],
    ];
    expect(scopes.sort(byText)).toEqual(wanted.sort(byText));
    expect(await listed('/routes/mocking/plugins')).toHaveLength(2);
  });

  test('a KongPlugin hides the KongClusterPlugin of its name, even an invalid one', async () => {
    admin.source.set(plugin('p', { disabled: 'x' }), clusterPlugin('p'), ingressNamed('mocking', named('p')));
    expect(await listed('/routes/mocking/plugins')).toEqual([]);
  });

  test('a KongClusterPlugin counts as the plugin of a route, which is not to change it for the cluster', async () => {
    admin.source.set(clusterPlugin('p'), ingressNamed('mocking', named('p')));
    expect((await admin.call('POST /routes/mocking/plugins', 'name=key-auth')).status).toBe(409);
    const id = (await listed('/routes/mocking/plugins'))[0]?.id ?? '';
    expect((await admin.call(`PATCH /routes/mocking/plugins/${id}`, 'enabled=false')).status).toBe(409);
    expect((await admin.call(`PATCH /plugins/${id}`, 'enabled=false')).status).toBe(200);
    expect(admin.source.at('KongClusterPlugin', 'p', '')).toMatchObject({ disabled: true });
    expect((await admin.call(`DELETE /routes/mocking/plugins/${id}`)).status).toBe(204);
    expect(admin.source.at('KongClusterPlugin', 'p', '')).toBeDefined();
    expect(annotationOf('Ingress', 'mocking')).toBeUndefined();
  });

  test('a plugin of a type that Latchkey does not have is shown, and cannot be made another', async () => {
    admin.source.set(plugin('p', { plugin: 'no-such', config: { a: 1 } }), ingressNamed('mocking', named('p')));
    const { body } = await admin.call('GET /routes/mocking/plugins');
    expect(body.data).toMatchObject([{ name: 'no-such', config: { a: 1 } }]);
    const answer = await admin.call(`PATCH /plugins/${body.data[0].id as string}`, { name: 'key-auth', config: null });
    expect(answer).toMatchObject({
      status: 400,
      body: { fields: { name: expect.stringContaining('cannot be changed') } },
    });
  });
});
