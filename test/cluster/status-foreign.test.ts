/** Two controllers that write the condition of one plugin: no fight, whoever the other is. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { objectPath } from '#resources/api-path.ts';
import type { Ref } from '#resources/ref.ts';
import { connectKubernetes, type KubernetesConnection } from '#source/kubernetes-api.ts';
import type { Condition } from '#status/conditions.ts';
import { commandsFor, controlPlane, describeCluster } from '../support/cluster-context.ts';
import { installDefinitions } from '../support/custom-resources.ts';
import { badConfig, objectFor, refIn } from '../support/status-objects.ts';
import { startReplica, type Replica } from '../support/status-replica.ts';

const namespace = 'status-foreign';
const plugin = (name: string): Ref => refIn(namespace, 'KongPlugin', name);

describeCluster('a condition that two controllers write', () => {
  let api: KubernetesConnection;
  let started: Replica[];
  const commands = () => commandsFor(controlPlane());
  const start = async (ingressClass: string): Promise<Replica> => {
    const access = controlPlane();
    const kinds = ['KongPlugin', 'KongConsumer'];
    const lease = `${ingressClass}-${started.length}`;
    const replica = await startReplica({ access, namespace, kinds, lease, ingressClass, identity: ingressClass });
    started.push(replica);
    await replica.leads();
    return replica;
  };
  const create = async (ref: Ref, ...replicas: readonly Replica[]): Promise<void> => {
    await commands().apply(objectFor(ref));
    await Promise.all(replicas.map(async (replica) => replica.followed(ref)));
  };
  /** Another controller writes the whole list, as most do. */
  const writeAs = async (manager: string, ref: Ref, fields: Partial<Condition>): Promise<void> => {
    const condition = {
      type: 'Programmed',
      status: 'True',
      reason: 'Programmed',
      message: 'Programmed in Konnect',
      lastTransitionTime: '2020-01-01T00:00:00Z',
      ...fields,
    };
    await api.request({
      method: 'PATCH',
      path: `${objectPath(ref)}/status`,
      query: { fieldManager: manager },
      contentType: 'application/merge-patch+json',
      body: { status: { conditions: [condition] } },
    });
  };
  const versionOf = (replica: Replica, ref: Ref): string | undefined => replica.object(ref)?.metadata.resourceVersion;
  /** Some time of the leader passes, without any time of the test being fixed. */
  const renewals = async (replica: Replica, count: number): Promise<void> => {
    const before = replica.renewals();
    await replica.seen(`${count} renewals`, () => replica.renewals() >= before + count);
  };

  beforeAll(async () => {
    await installDefinitions(controlPlane());
    await commands().kubectl(['create', 'namespace', namespace]);
    api = await connectKubernetes(controlPlane().kubeconfig);
  });
  afterAll(async () => api.close());
  beforeEach(() => {
    started = [];
  });
  afterEach(async () => {
    for (const replica of started) await replica.stop();
  });

  test.for(['before us', 'after us'])(
    'another controller that wrote %s keeps it, and we say ours beside it',
    async (when) => {
      const ref = plugin(when.replace(' ', '-'));
      const ours = await start('kong');
      await create(ref, ours);
      if (when === 'after us') {
        ours.say(ref, badConfig());
        await ours.told(ref, { reason: 'InvalidConfig' });
      }
      await writeAs('kong-operator', ref, {});
      await ours.told(ref, { message: 'Programmed in Konnect' });
      ours.say(ref, badConfig());
      const own = await ours.told(ref, { type: 'kong.latchkey.dev/Programmed', status: 'False' });
      expect(own).toMatchObject({ reason: 'InvalidConfig', observedGeneration: 1 });
      expect(ours.condition(ref)).toMatchObject({ status: 'True', message: 'Programmed in Konnect' });

      // From now on nobody has to write, nor does.
      const version = versionOf(ours, ref);
      await renewals(ours, 10);
      expect(versionOf(ours, ref)).toBe(version);
      ours.say(ref);
      await ours.told(ref, { type: 'kong.latchkey.dev/Programmed', status: 'True' });
      expect(ours.condition(ref)).toMatchObject({ message: 'Programmed in Konnect' });
    },
  );

  test('once the other is gone the condition is ours again', async () => {
    const ref = plugin('gone');
    const ours = await start('kong');
    await create(ref, ours);
    await writeAs('kong-operator', ref, {});
    await ours.told(ref, { message: 'Programmed in Konnect' });
    ours.say(ref, badConfig());
    const type = 'kong.latchkey.dev/Programmed';
    await ours.told(ref, { type });
    const patch = [{ op: 'remove', path: '/status/conditions' }];
    const flags = ['--subresource=status', '--type=json', '-p', JSON.stringify(patch)];
    await commands().kubectl(['patch', 'kongplugin', ref.name, '-n', namespace].concat(flags));
    await ours.told(ref, { status: 'False', reason: 'InvalidConfig' });
    expect(ours.condition(ref, type)).toBeUndefined();
  });

  test('two classes that agree write once, however they come', async () => {
    const [kong, other] = [await start('kong'), await start('other')];
    const refs = Array.from({ length: 20 }, (_, at) => plugin(`agree-${at}`));
    await commands().apply(...refs.map(objectFor));
    for (const ref of refs) await Promise.all([kong.followed(ref), other.followed(ref)]);
    for (const ref of refs) {
      kong.say(ref, badConfig());
      other.say(ref, badConfig());
    }
    for (const ref of refs) await kong.told(ref, { reason: 'InvalidConfig' });
    await renewals(other, 15);
    for (const ref of refs) {
      expect(other.object(ref)?.['status']).toMatchObject({ conditions: [{ type: 'Programmed', status: 'False' }] });
      expect(kong.versions().filter(({ metadata }) => metadata.name === ref.name)).toHaveLength(2);
    }
  });

  test('of two classes that disagree the first of the alphabet has it, the other says its own', async () => {
    const [kong, other] = [await start('kong'), await start('other')];
    const ref = plugin('disagree');
    await create(ref, kong, other);
    other.say(ref, badConfig());
    await kong.told(ref, { status: 'False' });
    kong.say(ref);
    await kong.told(ref, { status: 'True' });
    await other.told(ref, { type: 'other.latchkey.dev/Programmed', status: 'False', reason: 'InvalidConfig' });
    const version = versionOf(other, ref);
    await renewals(other, 15);
    expect(versionOf(other, ref)).toBe(version);
    expect(other.condition(ref)).toMatchObject({ status: 'True' });
    // Both follow an edit, each in its own.
    await commands().apply({ ...objectFor(ref), config: { hide_credentials: true } });
    for (const replica of [kong, other]) {
      await replica.seen('the edit', () => replica.object(ref)?.metadata.generation === 2);
    }
    other.say(ref, badConfig());
    kong.say(ref);
    await other.told(ref, { status: 'True', observedGeneration: 2 });
    await other.told(ref, { type: 'other.latchkey.dev/Programmed', status: 'False', observedGeneration: 2 });
  });

  test('a consumer of our class is ours, whoever writes on it', async () => {
    const ref = refIn(namespace, 'KongConsumer', 'ours');
    const ours = await start('kong');
    await create(ref, ours);
    ours.say(ref);
    const { message } = await ours.told(ref, { status: 'True' });
    await writeAs('kong-operator', ref, { status: 'False', reason: 'Invalid', message: 'no such consumer' });
    await ours.seen('the other', () =>
      ours.versions().some((object) => JSON.stringify(object['status'] ?? '').includes('no such consumer')),
    );
    await ours.told(ref, { status: 'True', message });
  });
});
