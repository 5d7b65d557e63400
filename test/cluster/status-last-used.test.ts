/** When credentials were last used, in the status of their consumers: two replicas on a real API server. */
import pino from 'pino';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { lastUsesIn } from '#resources/last-used.ts';
import type { Ref } from '#resources/ref.ts';
import { commandsFor, controlPlane, describeCluster } from '../support/cluster-context.ts';
import { startControlPlane } from '../support/control-plane.ts';
import { installDefinitions } from '../support/custom-resources.ts';
import { kongDefinitions } from '../support/kong-definitions.ts';
import { noSecret, objectFor, refIn } from '../support/status-objects.ts';
import { startReplica, type Replica, type ReplicaOptions } from '../support/status-replica.ts';

const namespace = 'status-last-used';
const kinds = ['KongConsumer', 'Secret'];
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Far from now, and a whole hour: later than every Secret of these tests. */
const noonMs = Date.parse('2199-01-01T12:00:00Z');
const at = (minutes: number): number => noonMs + minutes * minuteMs;
const textAt = (minutes: number): string => `${new Date(at(minutes)).toISOString().slice(0, 16)}:00Z`;

const consumer = (name: string): Ref => refIn(namespace, 'KongConsumer', name);
const secretNamed = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace, labels: { 'konghq.com/credential': 'key-auth' } },
  stringData: { key: name },
});

describeCluster('the times of last uses', () => {
  let started: Replica[];
  let count = 0;
  /** What every replica takes for now. */
  let nowMs = noonMs;
  const commands = () => commandsFor(controlPlane());
  const kubectl = async (...args: string[]): Promise<string> => commands().kubectl([...args, '--namespace', namespace]);

  const start = async (identity: string, more: Partial<ReplicaOptions> = {}): Promise<Replica> => {
    const replica = await startReplica({
      access: controlPlane(),
      namespace,
      kinds,
      lease: `lease-${count}`,
      identity,
      lastUsed: { intervalMs: hourMs, sweepMs: 20, now: () => nowMs },
      ...more,
    });
    started.push(replica);
    return replica;
  };

  /** A leader, and one that follows. */
  const startTwo = async () => {
    const leader = await start('leader');
    await leader.leads();
    return { leader, follower: await start('follower') };
  };

  const create = async (name: string, secrets: readonly string[], ...replicas: readonly Replica[]): Promise<Ref> => {
    const ref = consumer(name);
    await commands().apply(...secrets.map(secretNamed), { ...objectFor(ref), username: name, credentials: secrets });
    await Promise.all(
      replicas.flatMap((replica) => [
        replica.followed(ref),
        ...secrets.map(async (secret) => replica.followed(refIn(namespace, 'Secret', secret))),
      ]),
    );
    return ref;
  };

  const used = (replica: Replica, { name }: Ref, secret: string, minutes: number): void =>
    replica.status.used([{ namespace, secret, consumer: name, atMs: at(minutes) }]);

  /** Resolves when the status says just these minutes, by Secret. */
  const says = async (replica: Replica, ref: Ref, minutes: Readonly<Record<string, number>>): Promise<void> => {
    const wanted = JSON.stringify(Object.entries(minutes).map(([name, minute]) => [name, at(minute)]));
    await replica.seen(`${ref.name} says ${JSON.stringify(minutes)}`, () => {
      const { bySecret } = lastUsesIn(replica.object(ref)?.['status']);
      return JSON.stringify([...bySecret].sort(([a], [b]) => (a < b ? -1 : 1))) === wanted;
    });
  };
  /** The times of the consumer that ever stood there, in order. */
  const history = (replica: Replica, { name }: Ref): number[] => {
    const versions = replica
      .versions()
      .filter(({ kind, metadata }) => kind === 'KongConsumer' && metadata.name === name);
    const times = versions.map(({ status }) => lastUsesIn(status).consumerMs).filter((ms) => ms !== undefined);
    return [...new Set(times)].map((ms) => (ms - noonMs) / minuteMs);
  };
  const versionOf = (replica: Replica, ref: Ref): string | undefined => replica.object(ref)?.metadata.resourceVersion;
  /** Some time passes, without any time of the test being fixed: what is due is looked at every 20 ms. */
  const renewals = async (replica: Replica): Promise<void> => {
    const before = replica.renewals();
    await replica.seen('five renewals', () => replica.renewals() >= before + 5);
  };

  beforeAll(async () => {
    await installDefinitions(controlPlane());
    await commands().kubectl(['create', 'namespace', namespace]);
  });
  beforeEach(() => {
    count += 1;
    nowMs = noonMs;
    started = [];
  });
  afterEach(async () => {
    for (const replica of started) await replica.stop();
  });

  test('what the follower alone saw stands there at once, beside what the leader says', async () => {
    const { leader, follower } = await startTwo();
    const ref = await create('first', ['first-a', 'first-b'], leader, follower);
    leader.say(ref);
    await leader.told(ref, { status: 'True' });
    used(follower, ref, 'first-b', 0);
    await says(leader, ref, { 'first-b': 0 });
    expect(leader.condition(ref)).toMatchObject({ status: 'True' });
    expect(await kubectl('get', 'kongconsumer', 'first', '-o', 'jsonpath={.status.lastUsedTime}')).toBe(textAt(0));
    expect(await kubectl('get', 'kongconsumer', 'first', '-o', 'wide')).toMatch(/LAST-USED/);
    expect(await kubectl('get', 'kongconsumer', 'first')).not.toMatch(/LAST-USED/);

    leader.say(ref, noSecret(namespace, 'first-a'));
    await leader.told(ref, { status: 'False' });
    await says(leader, ref, { 'first-b': 0 });
  });

  test('each replica sees a part: what stands there is the later, and never goes back', async () => {
    const { leader, follower } = await startTwo();
    const ref = await create('parts', ['parts-a', 'parts-b'], leader, follower);
    used(leader, ref, 'parts-a', 5);
    used(follower, ref, 'parts-b', 3);
    await says(leader, ref, { 'parts-a': 5, 'parts-b': 3 });
    await says(follower, ref, { 'parts-a': 5, 'parts-b': 3 });
    const version = versionOf(leader, ref);
    const statusWrites = (): number => started.flatMap((replica) => replica.writes()).length;
    const writes = statusWrites();
    nowMs = at(500);
    used(follower, ref, 'parts-a', 4);
    used(leader, ref, 'parts-b', 3);
    await renewals(leader);
    expect(versionOf(leader, ref)).toBe(version);
    expect(statusWrites()).toBe(writes);
    used(follower, ref, 'parts-a', 499);
    await says(leader, ref, { 'parts-a': 499, 'parts-b': 3 });
  });

  test('a replica that writes what it looked at too long ago is refused, and looks again', async () => {
    const leader = await start('leader');
    await leader.leads();
    const arrived = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const follower = await start('follower', {
      through: (api) => ({
        async request(request) {
          if (request.path.endsWith('/status')) {
            arrived.resolve();
            await gate.promise;
          }
          return api.request(request);
        },
      }),
    });
    const ref = await create('late', ['late-a'], leader, follower);
    used(follower, ref, 'late-a', 3);
    await arrived.promise;
    used(leader, ref, 'late-a', 5);
    await says(leader, ref, { 'late-a': 5 });
    gate.resolve();
    await follower.seen('it is refused', () => follower.refusals().length > 0);
    await says(follower, ref, { 'late-a': 5 });
    await renewals(leader);
    expect(history(leader, ref)).toEqual([5]);
  });

  test('a consumer is written once an interval, whoever sees how much; the last use is told when it is over', async () => {
    const { leader, follower } = await startTwo();
    const ref = await create('often', ['often-a'], leader, follower);
    const bothAt = async (minute: number): Promise<void> => {
      nowMs = at(minute);
      used(follower, ref, 'often-a', minute);
      used(leader, ref, 'often-a', minute);
      await renewals(leader);
    };
    for (const minute of [0, 20, 40, 59, 60, 80, 100]) await bothAt(minute);
    expect(history(leader, ref)).toEqual([0, 60]);
    nowMs = at(120);
    await says(leader, ref, { 'often-a': 100 });
    expect(history(leader, ref)).toEqual([0, 60, 100]);
  });

  test('the first use of another credential is told at once', async () => {
    const { leader } = await startTwo();
    const ref = await create('another', ['another-a', 'another-b'], ...started);
    used(leader, ref, 'another-a', 0);
    await says(leader, ref, { 'another-a': 0 });
    nowMs = at(1);
    used(leader, ref, 'another-b', 1);
    await says(leader, ref, { 'another-a': 0, 'another-b': 1 });
  });

  test('a time that is to come, of a clock that was wrong, keeps no other from being told', async () => {
    const { leader, follower } = await startTwo();
    const ref = await create('future', ['future-a', 'future-b'], leader, follower);
    used(leader, ref, 'future-a', 0);
    used(follower, ref, 'future-b', 600_000);
    await says(leader, ref, { 'future-a': 0, 'future-b': 600_000 });
    nowMs = at(61);
    used(leader, ref, 'future-a', 61);
    used(leader, ref, 'future-b', 61);
    await says(leader, ref, { 'future-a': 61, 'future-b': 600_000 });
  });

  test('who stops writes what it alone saw, and who starts begins with what stands there', async () => {
    const { leader, follower } = await startTwo();
    const ref = await create('restart', ['restart-a'], leader, follower);
    used(leader, ref, 'restart-a', 0);
    await says(follower, ref, { 'restart-a': 0 });
    nowMs = at(30);
    used(follower, ref, 'restart-a', 29);
    await follower.stop();
    await says(leader, ref, { 'restart-a': 29 });

    const next = await start('next');
    await next.followed(ref);
    const version = versionOf(next, ref);
    used(next, ref, 'restart-a', 28);
    await next.stop();
    await renewals(leader);
    expect(versionOf(leader, ref)).toBe(version);
  });

  test('who stops waits for no API server that does not answer', async () => {
    const hanging = Promise.withResolvers<never>();
    const leader = await start('leader', {
      lastUsed: { intervalMs: hourMs, sweepMs: 20, flushMs: 50, now: () => nowMs },
      through: (api) => ({
        request: async (request) => (request.path.endsWith('/status') ? hanging.promise : api.request(request)),
      }),
    });
    const ref = await create('hanging', ['hanging-a'], leader);
    used(leader, ref, 'hanging-a', 0);
    await renewals(leader);
    await leader.stop();
    expect(lastUsesIn(leader.object(ref)?.['status']).bySecret.size).toBe(0);
  });

  test('what is gone is forgotten by the leader at once, and the consumer keeps its latest time', async () => {
    const { leader, follower } = await startTwo();
    const ref = await create('gone', ['gone-a', 'gone-b', 'gone-c'], leader, follower);
    for (const [index, secret] of ['gone-a', 'gone-b', 'gone-c'].entries()) used(follower, ref, secret, index);
    await says(leader, ref, { 'gone-a': 0, 'gone-b': 1, 'gone-c': 2 });

    await kubectl('patch', 'kongconsumer', 'gone', '--type=merge', '-p', '{"credentials":["gone-a","gone-b"]}');
    await leader.seen('the list is shorter', () => leader.object(ref)?.metadata.generation === 2);
    leader.status.gone([{ namespace, secret: 'gone-c', consumer: 'gone' }]);
    await says(leader, ref, { 'gone-a': 0, 'gone-b': 1 });

    await kubectl('delete', 'secret', 'gone-b');
    await leader.seen('the Secret is gone', () => leader.object(refIn(namespace, 'Secret', 'gone-b')) === undefined);
    leader.status.gone([{ namespace, secret: 'gone-b', consumer: 'gone' }]);
    await says(leader, ref, { 'gone-a': 0 });
    expect(lastUsesIn(leader.object(ref)?.['status']).consumerMs).toBe(at(2));
  });

  test('a time that is older than the Secret is of another that bore its name: the next leader takes it out', async () => {
    const { leader, follower } = await startTwo();
    const ref = await create('anew', ['anew-a', 'anew-b'], leader, follower);
    await leader.stop();
    await follower.leads();
    // As a replica wrote it before the Secret was deleted and made anew.
    const status = {
      credentials: [
        { name: 'anew-a', lastUsedTime: textAt(0) },
        { name: 'anew-b', lastUsedTime: '2020-01-01T00:00:00Z' },
      ],
    };
    const { apiVersion, kind } = objectFor(ref);
    const asReplica = ['--server-side', '--subresource=status', '--field-manager=latchkey-last-used-kong'];
    await commands().kubectl(
      ['apply', ...asReplica, '-f', '-'],
      JSON.stringify({ apiVersion, kind, metadata: { name: ref.name, namespace }, status }),
    );
    await says(follower, ref, { 'anew-a': 0, 'anew-b': (Date.parse('2020-01-01') - noonMs) / minuteMs });
    const next = await start('next');
    await next.followed(ref);
    next.say(ref);
    await follower.stop();
    await says(next, ref, { 'anew-a': 0 });
  });

  test('unless it is asked for nothing is written', async () => {
    const { lastUsed: _, ...plain } = { lastUsed: undefined };
    const replica = await startReplica({ access: controlPlane(), namespace, kinds, lease: `lease-${count}`, ...plain });
    started.push(replica);
    await replica.leads();
    const ref = await create('off', ['off-a'], replica);
    used(replica, ref, 'off-a', 0);
    await renewals(replica);
    expect(lastUsesIn(replica.object(ref)?.['status']).bySecret.size).toBe(0);
    expect(replica.writes()).toEqual([]);
  });
});

describeCluster('the times of last uses over a definition that does not have them', () => {
  test('it is said once, and the API server is left alone', async () => {
    await using ends = new AsyncDisposableStack();
    const plane = await startControlPlane({ withControllerManager: false });
    ends.defer(async () => plane.stop());
    const { kubectl, apply } = commandsFor(plane.access);
    await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: kongDefinitions }));
    await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
    await kubectl(['create', 'namespace', namespace]);
    const logged: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
    const lastUsed = { intervalMs: hourMs, sweepMs: 20, now: () => noonMs };
    const replica = await startReplica({ access: plane.access, namespace, kinds, lastUsed, log });
    ends.defer(async () => replica.stop());
    await replica.leads();
    for (const name of ['one', 'two']) {
      await apply(secretNamed(name), { ...objectFor(consumer(name)), username: name, credentials: [name] });
      await replica.followed(consumer(name));
      await replica.followed(refIn(namespace, 'Secret', name));
      replica.status.used([{ namespace, secret: name, consumer: name, atMs: noonMs }]);
    }
    await replica.seen('an answer', () => replica.answered().some(({ path }) => path.endsWith('/status')));
    const before = replica.renewals();
    await replica.seen('five renewals', () => replica.renewals() >= before + 5);
    expect(logged.filter((line) => line.includes('apply crds/kongconsumers.yaml'))).toHaveLength(1);
    expect(replica.writes().length).toBeLessThanOrEqual(2);
  });
});
