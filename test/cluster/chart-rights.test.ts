import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chart, type Values } from '../support/chart.ts';
import { commandsFor, describeCluster } from '../support/cluster-context.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts';

const account = 'system:serviceaccount:gateways:latchkey';

/** Verb, resource (`resource/name` for one object), namespace. */
type Right = readonly [verb: string, resource: string, namespace: string];

const lease = 'leases.coordination.k8s.io/latchkey-leader-kong';
const leading: readonly Right[] = [
  ['create', 'leases.coordination.k8s.io', 'gateways'],
  ['get', lease, 'gateways'],
  ['update', lease, 'gateways'],
];
const publishing: readonly Right[] = ['get', 'list', 'watch'].map((verb) => [
  verb,
  'services/latchkey-proxy',
  'gateways',
]);
const reading = (namespace: string): readonly Right[] =>
  ['ingresses', 'services', 'secrets', 'endpointslices', 'kongconsumers', 'kongplugins'].flatMap((resource) =>
    ['get', 'list', 'watch'].map((verb): Right => [verb, resource, namespace]),
  );
const reporting = (namespace: string): readonly Right[] => [
  ['patch', 'ingresses.networking.k8s.io --subresource=status', namespace],
  ['patch', 'kongconsumers --subresource=status', namespace],
  ['create', 'events.events.k8s.io', namespace],
  ['patch', 'events.events.k8s.io', namespace],
];
const writing = (namespace: string): readonly Right[] => [
  ['patch', 'ingresses', namespace],
  ...['secrets', 'kongplugins', 'kongconsumers'].flatMap((resource) =>
    ['create', 'patch', 'delete'].map((verb): Right => [verb, resource, namespace]),
  ),
];
/** What it never needs: whoever takes the pod over must not get it. */
const never: readonly Right[] = [
  ['update', 'leases.coordination.k8s.io/other', 'gateways'],
  ['delete', lease, 'gateways'],
  ['list', 'leases.coordination.k8s.io', 'a'],
  ['get', 'pods', 'gateways'],
  ['create', 'pods --subresource=exec', 'gateways'],
  ['update', 'ingresses', 'a'],
  ['delete', 'ingresses', 'a'],
  ['create', 'serviceaccounts --subresource=token', 'gateways'],
  ['patch', 'ingressclasses', 'a'],
  ['patch', 'customresourcedefinitions', 'a'],
  ['escalate', 'roles', 'gateways'],
];

describeCluster('the rights of the chart', () => {
  let controlPlane: ControlPlane;
  let commands: ReturnType<typeof commandsFor>;

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    commands = commandsFor(controlPlane.access);
    for (const namespace of ['gateways', 'a', 'b']) await commands.kubectl(['create', 'namespace', namespace]);
  });
  afterAll(async () => controlPlane.stop());

  /** Those of the rights that the chart's ServiceAccount has. */
  const granted = async (rights: readonly Right[]): Promise<Right[]> => {
    const answers = await Promise.all(
      rights.map(async ([verb, resource, namespace]) => {
        const args = ['auth', 'can-i', verb, ...resource.split(' '), '--namespace', namespace, '--as', account];
        const { code, stdout, stderr } = await commands.tryKubectl(args);
        if (!/^(?:yes|no)/.test(stdout)) throw new Error(`${args.join(' ')}: ${stderr}`);
        return code === 0;
      }),
    );
    return rights.filter((_, i) => answers[i]);
  };

  describe.for<[string, Values, { readonly yes: readonly Right[]; readonly no: readonly Right[] }]>([
    [
      'of its defaults: all namespaces, no writes',
      {},
      {
        yes: [
          ...leading,
          ...publishing,
          ...reading('a'),
          ...reading('b'),
          ...reporting('a'),
          ['list', 'ingressclasses', 'a'],
          ['watch', 'kongclusterplugins', 'a'],
          ['patch', 'kongclusterplugins --subresource=status', 'a'],
        ],
        no: [...never, ...writing('a'), ['update', 'secrets', 'a']],
      },
    ],
    ['with writes', { adminApi: { writes: true } }, { yes: [...writing('a'), ...writing('b')], no: never }],
    [
      'of one namespace',
      { ingressController: { watchNamespaces: ['a'] } },
      {
        yes: [...leading, ...publishing, ...reading('a'), ...reporting('a')],
        no: [
          ...never,
          ...writing('a'),
          ...reading('b'),
          ...reporting('b'),
          ['get', 'secrets', 'gateways'],
          ['list', 'services', 'gateways'],
          ['list', 'ingressclasses', 'a'],
          ['list', 'kongclusterplugins', 'a'],
        ],
      },
    ],
  ])('%s', ([, values, { yes, no }]) => {
    beforeAll(async () => {
      await commands.helm(
        ['upgrade', '--install', 'latchkey', chart, '--namespace', 'gateways', '--values', '-'],
        JSON.stringify(values),
      );
    });

    test('are what is needed', async () => {
      expect(await granted(yes)).toEqual(yes);
    });

    test('and no more', async () => {
      expect(await granted(no)).toEqual([]);
    });

    test('let it list the one Service whose addresses it publishes', async () => {
      const path = '/api/v1/namespaces/gateways/services?fieldSelector=metadata.name%3Dlatchkey-proxy';
      const answer = await commands.kubectl(['get', '--raw', path, '--as', account]);
      const { items } = JSON.parse(answer) as { items: { metadata: { name: string } }[] };
      expect(items.map(({ metadata }) => metadata.name)).toEqual(['latchkey-proxy']);
    });
  });
});
