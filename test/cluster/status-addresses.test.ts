/** The addresses of Ingresses, on a real API server. */
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { Ref } from '#resources/ref.ts';
import type { Problem } from '#resources/verdict.ts';
import { addressesIn, type Address } from '#status/addresses.ts';
import { commandsFor, controlPlane, describeCluster } from '../support/cluster-context.ts';
import { objectFor, refIn, serviceObject } from '../support/status-objects.ts';
import { startReplica, type Replica, type ReplicaOptions } from '../support/status-replica.ts';

const namespace = 'status-addresses';
const ingress = (name: string): Ref => refIn(namespace, 'Ingress', name);
const notInForce: Problem = {
  reason: 'InvalidObject',
  field: 'spec',
  message: 'spec: is missing',
  effect: 'object not in force',
};

describeCluster('addresses', () => {
  let replica: Replica;
  const commands = () => commandsFor(controlPlane());
  const start = async (publish: ReplicaOptions['publish']): Promise<void> => {
    replica = await startReplica({ access: controlPlane(), namespace, kinds: ['Ingress'], publish });
    await replica.leads();
  };
  const create = async (ref: Ref): Promise<void> => {
    await commands().apply(objectFor(ref));
    await replica.followed(ref);
  };
  const addresses = (ref: Ref): readonly Address[] => addressesIn(replica.object(ref)?.['status']);
  const has = async (ref: Ref, wanted: readonly Address[]): Promise<unknown> =>
    replica.seen(JSON.stringify(wanted), () => JSON.stringify(addresses(ref)) === JSON.stringify(wanted));

  beforeAll(async () => {
    await commands().kubectl(['create', 'namespace', namespace]);
  });
  afterEach(async () => replica.stop());

  test('given ones are told: IP addresses and host names', async () => {
    await start({ addresses: ['203.0.113.7', '2001:db8::7', 'gateway.example.com'] });
    await create(ingress('given'));
    replica.say(ingress('given'));
    await has(ingress('given'), [{ ip: '203.0.113.7' }, { ip: '2001:db8::7' }, { hostname: 'gateway.example.com' }]);
    expect(await commands().kubectl(['get', 'ingress', 'given', '-n', namespace])).toContain('203.0.113.7');
  });

  test('what somebody else writes is put right', async () => {
    await start({ addresses: ['203.0.113.7'] });
    const ref = ingress('tampered');
    await create(ref);
    replica.say(ref);
    await has(ref, [{ ip: '203.0.113.7' }]);
    const patch = { status: { loadBalancer: { ingress: [{ ip: '198.51.100.9' }] } } };
    const flags = ['--subresource=status', '--type=merge', '-p', JSON.stringify(patch)];
    await commands().kubectl(['patch', 'ingress', ref.name, '-n', namespace].concat(flags));
    await replica.seen('the patch', () => JSON.stringify(replica.versions()).includes('198.51.100.9'));
    await has(ref, [{ ip: '203.0.113.7' }]);
  });

  test('those of the publish Service are told, and follow it', async () => {
    await start({ service: { namespace, name: 'proxy' } });
    await create(ingress('service'));
    replica.say(ingress('service'));
    replica.status.publishService(undefined);
    replica.status.publishService(serviceObject({ type: 'LoadBalancer' }));
    replica.status.publishService(serviceObject({ type: 'ClusterIP', clusterIPs: ['10.96.0.9', 'fd00::9'] }));
    await has(ingress('service'), [{ ip: '10.96.0.9' }, { ip: 'fd00::9' }]);
    const given = [{ ip: '203.0.113.8', hostname: 'lb.example.com' }];
    replica.status.publishService(serviceObject({ type: 'LoadBalancer', clusterIPs: ['10.96.0.9'] }, given));
    await has(ingress('service'), [{ ip: '203.0.113.8' }, { hostname: 'lb.example.com' }]);
    // A Service that has none any more leaves those that were told.
    replica.status.publishService(undefined);
    expect(addresses(ingress('service'))).toHaveLength(2);
  });

  test('an Ingress that is not in force or not ours gets none', async () => {
    await start({ addresses: ['203.0.113.7'] });
    for (const name of ['broken', 'foreign', 'good']) await create(ingress(name));
    replica.say(ingress('broken'), notInForce);
    replica.status.report([{ ref: ingress('foreign'), generation: 1, problems: [], notOurs: 'another class' }], []);
    replica.say(ingress('good'));
    await has(ingress('good'), [{ ip: '203.0.113.7' }]);
    expect([addresses(ingress('broken')), addresses(ingress('foreign'))]).toEqual([[], []]);
  });

  test('without any given none are told', async () => {
    await start(undefined);
    await create(ingress('none'));
    replica.say(ingress('none'));
    const renewals = replica.renewals();
    await replica.seen('three renewals', () => replica.renewals() >= renewals + 3);
    expect(replica.writes()).toEqual([]);
  });
});
