import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeCluster } from '../support/cluster-context.ts';
import { inDefault, service } from '../support/cluster-objects.ts';
import { startServedCluster, type ServedCluster } from '../support/served-cluster.ts';

const policy = (name: string, spec: object = { algorithm: 'round-robin' }) => ({
  apiVersion: 'configuration.konghq.com/v1beta1',
  kind: 'KongUpstreamPolicy',
  metadata: inDefault(name),
  spec,
});

const using = (name: string, policyName: string) => ({
  ...service,
  metadata: inDefault(name, { annotations: { 'konghq.com/upstream-policy': policyName } }),
});

interface AncestorStatus {
  readonly ancestorRef: { readonly group: string; readonly kind: string; readonly name: string };
  readonly controllerName: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly observedGeneration: number;
  }[];
}

describeCluster('the status of a KongUpstreamPolicy', () => {
  let cluster: ServedCluster;
  beforeAll(async () => {
    cluster = await startServedCluster();
    await cluster.start();
  });
  afterAll(async () => cluster.stop());

  /** What is said of each Service, as soon as it is said of so many. */
  const ancestorsOf = async (name: string, count: number): Promise<readonly AncestorStatus[]> => {
    const path = count === 0 ? '{.status.ancestors}=[]' : `{.status.ancestors[${count - 1}].ancestorRef.name}`;
    await cluster.kubectl(['wait', `--for=jsonpath=${path}`, `kongupstreampolicy/${name}`, '--timeout=60s']);
    const text = await cluster.kubectl(['get', 'kongupstreampolicy', name, '-o', 'json']);
    return (JSON.parse(text) as { status: { ancestors: AncestorStatus[] } }).status.ancestors;
  };

  test('says of each Service that names it whether it is in force', async () => {
    await cluster.apply(policy('hashing'), using('one', 'hashing'), using('other', 'nothing'));
    const [one, ...more] = await ancestorsOf('hashing', 1);
    expect(more).toEqual([]);
    expect(one).toMatchObject({
      ancestorRef: { group: '', kind: 'Service', namespace: 'default', name: 'one' },
      controllerName: 'latchkey.dev/kong',
      conditions: [
        { type: 'Accepted', status: 'True', reason: 'Accepted', observedGeneration: 1 },
        { type: 'Programmed', status: 'True', reason: 'Programmed', observedGeneration: 1 },
      ],
    });
    await cluster.apply(using('two', 'hashing'));
    expect((await ancestorsOf('hashing', 2)).map(({ ancestorRef }) => ancestorRef.name)).toEqual(['one', 'two']);
    await cluster.kubectl(['delete', 'service', 'one']);
    const first = '{.status.ancestors[0].ancestorRef.name}';
    await cluster.kubectl(['wait', `--for=jsonpath=${first}=two`, 'kongupstreampolicy/hashing', '--timeout=60s']);
  });

  test('leaves what another controller says', async () => {
    const foreign = {
      ancestorRef: { group: 'example.com', kind: 'Gateway', name: 'edge' },
      controllerName: 'example.com/other',
      conditions: [
        { type: 'Accepted', status: 'True', reason: 'Fine', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
    };
    await cluster.apply(policy('shared'));
    const body = JSON.stringify({ status: { ancestors: [foreign] } });
    await cluster.kubectl([
      'patch',
      'kongupstreampolicy',
      'shared',
      '--subresource=status',
      '--type=merge',
      '-p',
      body,
    ]);
    await cluster.apply(using('three', 'shared'));
    const [first, second] = await ancestorsOf('shared', 2);
    expect(first).toEqual(foreign);
    expect(second).toMatchObject({ ancestorRef: { name: 'three' }, controllerName: 'latchkey.dev/kong' });
  });

  test('of more Services than the API server takes, the oldest are told', async () => {
    const names = Array.from({ length: 18 }, (_, i) => `many-${String(i).padStart(2, '0')}`);
    await cluster.apply(policy('many'), ...names.map((name) => using(name, 'many')));
    const told = await ancestorsOf('many', 16);
    expect(told.map(({ ancestorRef }) => ancestorRef.name)).toHaveLength(16);
  });
});
