/** One of several replicas leads, and another takes over when it ends or dies: a real Lease. */
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Ref } from '#resources/ref.ts';
import type { KubernetesApi } from '#source/kubernetes-api.ts';
import { commandsFor, controlPlane, describeCluster } from '../support/cluster-context.ts';
import { installDefinitions } from '../support/custom-resources.ts';
import { noSecret, objectFor, refIn } from '../support/status-objects.ts';
import { startReplica, type Replica, type ReplicaOptions } from '../support/status-replica.ts';

const namespace = 'leader-election';
const consumer = (name: string): Ref => refIn(namespace, 'KongConsumer', name);
/** The usual proportions, five times as fast. */
const timing = { leaseMs: 3000, renewDeadlineMs: 2000, renewMs: 400, lookMs: 200 };

describeCluster('the leader', () => {
  let started: Replica[];
  let count = 0;
  const commands = () => commandsFor(controlPlane());
  const leaseName = (): string => `lease-${count}`;
  const start = async (identity: string, more: Partial<ReplicaOptions> = {}): Promise<Replica> => {
    const access = controlPlane();
    const replica = await startReplica({
      access,
      namespace,
      kinds: ['KongConsumer'],
      lease: leaseName(),
      identity,
      timing,
      ...more,
    });
    started.push(replica);
    return replica;
  };
  const lease = async (): Promise<Record<string, unknown>> => {
    const text = await commands().kubectl(['get', 'lease', leaseName(), '-n', namespace, '-o', 'json']);
    return (JSON.parse(text) as { spec: Record<string, unknown> }).spec;
  };
  const create = async (ref: Ref, ...replicas: readonly Replica[]): Promise<void> => {
    await commands().apply(objectFor(ref));
    await Promise.all(replicas.map(async (replica) => replica.followed(ref)));
  };

  beforeAll(async () => {
    await installDefinitions(controlPlane());
    await commands().kubectl(['create', 'namespace', namespace]);
  });
  beforeEach(() => {
    count += 1;
    started = [];
  });
  afterEach(async () => {
    for (const replica of started) await replica.stop();
  });

  test('of two replicas one leads, and only that one writes', async () => {
    const first = await start('first');
    await first.leads();
    const second = await start('second');
    await create(consumer('two'), first, second);
    for (const replica of [first, second]) replica.say(consumer('two'), noSecret(namespace, 'x'));
    await second.told(consumer('two'), { status: 'False' });
    const renewals = first.renewals();
    await first.seen('five renewals', () => first.renewals() >= renewals + 5);
    expect(second.status.isLeader).toBe(false);
    expect(second.writes()).toEqual([]);
    expect(first.writes().filter(({ path }) => path.endsWith('/status'))).toHaveLength(1);
    expect(await lease()).toMatchObject({ holderIdentity: 'first', leaseDurationSeconds: 3, leaseTransitions: 0 });
  });

  test('a leader that stops is followed at once, and what it left is written', async () => {
    const first = await start('first', { timing: { ...timing, leaseMs: 15_000 } });
    await first.leads();
    const second = await start('second', { timing: { ...timing, leaseMs: 15_000 } });
    await create(consumer('left'), second);
    second.say(consumer('left'));
    const stoppedAtMs = performance.now();
    await first.stop();
    await second.leads();
    expect(performance.now() - stoppedAtMs).toBeLessThan(10_000); // less than the Lease holds
    await second.told(consumer('left'), { status: 'True' });
    expect(await lease()).toMatchObject({ holderIdentity: 'second', leaseTransitions: 1 });
  });

  test('a leader that dies is followed when its Lease has run out, and not before', async () => {
    const first = await start('first');
    await first.leads();
    const second = await start('second');
    await second.seen('it has seen the Lease', () => second.requests() > 2);
    const killedAtMs = performance.now(); // before: what it may still renew meanwhile makes it later
    await first.kill();
    await second.leads();
    const tookMs = performance.now() - killedAtMs;
    // The last renewal was up to one interval before the end.
    expect(tookMs).toBeGreaterThan(timing.leaseMs - timing.renewMs - timing.lookMs);
    expect(tookMs).toBeLessThan(2 * timing.leaseMs);
    expect(first.status.isLeader).toBe(false);
  });

  test('a leader that cannot renew stops leading before another may', async () => {
    let isCut = false;
    const through = (api: KubernetesApi): KubernetesApi => ({
      async request(request) {
        if (isCut) throw new Error('no route to host');
        return api.request(request);
      },
    });
    const first = await start('first', { through });
    await first.leads();
    const second = await start('second');
    await create(consumer('cut'), first, second);
    await second.seen('it has seen the Lease', () => second.requests() > 2);
    isCut = true;
    await second.seen('the other leads no more', () => !first.status.isLeader);
    expect(second.status.isLeader).toBe(false);
    await second.leads();
    isCut = false;
    for (const replica of [first, second]) replica.say(consumer('cut'));
    await first.told(consumer('cut'), { status: 'True' });
    expect(first.writes()).toEqual([]);
  });

  test('a clock that is an hour off changes nothing', async () => {
    const first = await start('first');
    await first.leads();
    // As a machine would write it whose clock is an hour behind.
    const patch = JSON.stringify({ spec: { renewTime: '2020-01-01T00:00:00.000000Z' } });
    await commands().kubectl(['patch', 'lease', leaseName(), '-n', namespace, '--type=merge', '-p', patch]);
    const second = await start('second', { timing: { ...timing, lookMs: 50 } });
    const renewals = first.renewals();
    await first.seen('five renewals', () => first.renewals() >= renewals + 5);
    expect([first.status.isLeader, second.status.isLeader]).toEqual([true, false]);
  });

  test('a Lease that somebody deletes is made again', async () => {
    const first = await start('first');
    await first.leads();
    await commands().kubectl(['delete', 'lease', leaseName(), '-n', namespace]);
    await commands().kubectl(['wait', '--for=create', `lease/${leaseName()}`, '-n', namespace, '--timeout=60s']);
    expect(first.status.isLeader).toBe(true);
  });

  test('a new leader does not repeat what the old one told', async () => {
    const ref = consumer('standing');
    const first = await start('first');
    await first.leads();
    const second = await start('second');
    await create(ref, first, second);
    for (const replica of [first, second]) replica.say(ref, noSecret(namespace, 'x'));
    await second.told(ref, { status: 'False' });
    await first.seen('the Event', () => first.writes().some(({ path }) => path.includes('/events')));
    const version = second.object(ref)?.metadata.resourceVersion;
    await first.stop();
    await second.leads();
    await second.seen('it looks whether the Event is there', () => second.refusals().length > 0);
    expect(second.writes().map(({ method }) => method)).toEqual(['POST']);
    expect(second.object(ref)?.metadata.resourceVersion).toBe(version);
  });
});
