/** What kubectl makes of the CRDs: names, columns, explanations; and who may write which part of an object. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allKinds, kindNamed } from '#resources/all-kinds.ts';
import { apiVersionOf, type KubernetesObject } from '#resources/kind.ts';
import { commandsFor, controlPlane, describeCluster } from '../support/cluster-context.ts';
import { installDefinitions, objectApi } from '../support/custom-resources.ts';

const namespace = 'admit-kubectl';

const at = (kind: string, name: string, fields: object = {}): KubernetesObject => ({
  apiVersion: apiVersionOf(kindNamed(kind)),
  kind,
  metadata: { name, ...(kindNamed(kind).scope === 'Cluster' ? {} : { namespace }) },
  ...fields,
});

const clusterPlugin = at('KongClusterPlugin', 'admit-kubectl', { plugin: 'prometheus', disabled: true });
const objects = [
  at('KongConsumer', 'bob', { username: 'robert', credentials: ['bob-key'] }),
  at('KongConsumerGroup', 'gold'),
  at('KongPlugin', 'auth', { plugin: 'key-auth', config: { hide_credentials: true } }),
  at('KongUpstreamPolicy', 'policy', { spec: { algorithm: 'latency' } }),
  at('IngressClassParameters', 'parameters', { spec: {} }),
  clusterPlugin,
];

describeCluster('kubectl', () => {
  let api: ReturnType<typeof objectApi>;
  const commands = () => commandsFor(controlPlane());
  const get = async (...args: string[]): Promise<string[]> =>
    (await commands().kubectl(['get', '-n', namespace, ...args])).trim().split('\n');

  beforeAll(async () => {
    await installDefinitions(controlPlane());
    await commands().kubectl(['create', 'namespace', namespace]);
    await commands().apply(...objects);
    api = objectApi(controlPlane());
  });
  afterAll(async () => {
    await commands().kubectl(['delete', 'kcp', 'admit-kubectl']);
    await api.close();
  });

  const age = String.raw`\d+m?s`;
  test.for([
    ['kc', 'NAME USERNAME AGE PROGRAMMED', `bob robert ${age} Unknown`],
    ['kongconsumers', 'NAME USERNAME AGE PROGRAMMED', `bob robert ${age} Unknown`],
    ['kcg', 'NAME AGE PROGRAMMED', `gold ${age} Unknown`],
    ['kp', 'NAME PLUGIN-TYPE AGE PROGRAMMED', `auth key-auth ${age}`],
    [
      'kp -o wide',
      'NAME PLUGIN-TYPE AGE DISABLED CONFIG PROGRAMMED',
      String.raw`auth key-auth ${age} \{"hide_credentials":true\}`,
    ],
    ['kcp admit-kubectl', 'NAME PLUGIN-TYPE AGE PROGRAMMED', `admit-kubectl prometheus ${age}`],
    [
      'kcp admit-kubectl -o wide',
      'NAME PLUGIN-TYPE AGE DISABLED CONFIG PROGRAMMED',
      `admit-kubectl prometheus ${age} true`,
    ],
    ['kup', 'NAME AGE', `policy ${age}`],
    ['ingressclassparameterses', 'NAME AGE', `parameters ${age}`],
  ] as const)('get %s shows %s', async ([what, header, row]) => {
    const [first, second, ...rest] = (await get(...what.split(' '))).map((line) => line.split(/\s+/).join(' ').trim());
    expect([first, second, rest]).toEqual([header, expect.stringMatching(new RegExp(`^${row}$`)), []]);
  });

  test('finds all of them by the categories that Kong has', async () => {
    for (const category of ['kong', 'kong-ingress-controller']) {
      const found = (await get(category, '-o', 'name')).map((name) => name.replace('.configuration.konghq.com', ''));
      expect(found).toEqual(
        expect.arrayContaining([
          'kongconsumer/bob',
          'kongconsumergroup/gold',
          'kongplugin/auth',
          'kongclusterplugin/admit-kubectl',
          'kongupstreampolicy/policy',
        ]),
      );
      expect(found).not.toContain('ingressclassparameters/parameters');
    }
  });

  test.for(allKinds.filter(({ crd }) => crd !== undefined))('explains every field of $kind', async (kind) => {
    const text = await commands().kubectl(['explain', kind.plural, '--api-version', apiVersionOf(kind), '--recursive']);
    expect(text).toContain(`KIND:       ${kind.kind}`);
    const top = await commands().kubectl(['explain', kind.plural, '--api-version', apiVersionOf(kind)]);
    expect(top.replaceAll(/\s+/g, ' ')).toContain(kind.crd?.description);
    expect(top).not.toContain('<no description>');
  });

  test('explains a field deep inside', async () => {
    const text = await commands().kubectl(['explain', 'kup.spec.healthchecks.active.httpPath']);
    expect(text).toContain('Path that an HTTP probe asks for.');
  });

  const programmed = {
    conditions: [
      {
        type: 'Programmed',
        status: 'True',
        reason: 'Programmed',
        message: '',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  };

  test.for(['KongConsumer', 'KongConsumerGroup', 'KongPlugin', 'KongClusterPlugin'])(
    'shows and awaits the status of a %s, which only its subresource writes',
    async (kind) => {
      const fields = { KongConsumer: { username: 'a' }, KongConsumerGroup: {} }[kind] ?? { plugin: 'key-auth' };
      const object = at(kind, 'admit-status', { ...fields, status: programmed });
      const created = await api.create(object);
      expect(JSON.stringify(created.object)).not.toContain('"True"');
      const patched = await api.patch(object, { status: programmed });
      expect([patched.status, JSON.stringify(patched.object).includes('"True"')]).toEqual([200, false]);

      const { generation } = patched.object.metadata;
      const written = await api.patchStatus(object, programmed);
      expect([written.status, written.object.metadata.generation]).toEqual([200, generation]);
      const name = `${kind.toLowerCase()}/admit-status`;
      await commands().kubectl(['wait', '-n', namespace, '--for=condition=Programmed', name, '--timeout=60s']);
      expect((await get(name)).at(1)).toMatch(/True$/);
      await commands().kubectl(['delete', '-n', namespace, name]);
    },
  );

  test('lets a status hold eight conditions, one of a type, and what other controllers keep there', async () => {
    const object = at('KongConsumer', 'bob');
    const condition = (type: string) => ({ ...programmed.conditions[0], type });
    const nine = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I'].map(condition);
    expect((await api.patchStatus(object, { conditions: nine })).object.message).toContain('must have at most 8 items');
    const twice = await api.patchStatus(object, { conditions: [condition('A'), condition('A')] });
    expect(twice.object.message).toContain('Duplicate value');
    const theirs = { conditions: nine.slice(1), konnect: { id: 'x', serverURL: 'https://konnect.example' } };
    const stored = await api.patchStatus(object, theirs);
    expect(stored.object['status']).toEqual(theirs);
  });

  test('keeps the ancestors of a policy', async () => {
    const ancestor = {
      ancestorRef: { group: '', kind: 'Service', namespace, name: 'echo' },
      controllerName: 'ingress-controllers.konghq.com/kong',
      conditions: programmed.conditions,
    };
    const policy = at('KongUpstreamPolicy', 'policy');
    const stored = await api.patchStatus(policy, { ancestors: [ancestor] });
    expect(stored.object['status']).toEqual({ ancestors: [ancestor] });
    const many = await api.patchStatus(policy, { ancestors: Array.from({ length: 17 }, () => ancestor) });
    expect(many.object.message).toContain('must have at most 16 items');
  });

  test('applies credentials of several writers to one consumer, each of whom owns their own', async () => {
    const bob = (credentials: string[]) => at('KongConsumer', 'shared', { credentials });
    await api.create(at('KongConsumer', 'shared', { username: 'shared' }));
    expect((await api.applyAs('team-a', bob(['a', 'both']))).status).toBe(200);
    expect((await api.applyAs('team-b', bob(['b', 'both']))).object['credentials']).toEqual(['a', 'b', 'both']);
    const without = await api.applyAs('team-a', at('KongConsumer', 'shared'));
    expect([without.status, without.object['username'], without.object['credentials']]).toEqual([
      200,
      'shared',
      ['b', 'both'],
    ]);
  });
});
