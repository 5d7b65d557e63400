/** Events, as kubectl describe shows them, on a real API server. */
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Ref } from '#resources/ref.ts';
import type { Problem } from '#resources/verdict.ts';
import type { KubernetesEvent, EventSeries } from '#status/events.ts';
import { commandsFor, controlPlane, describeCluster } from '../support/cluster-context.ts';
import { installDefinitions } from '../support/custom-resources.ts';
import { badConfig, ignored, noSecret, objectFor, refIn } from '../support/status-objects.ts';
import { startReplica, type Replica } from '../support/status-replica.ts';

const namespace = 'status-events';
const kinds = ['KongConsumer', 'KongPlugin', 'KongClusterPlugin', 'Ingress', 'Secret'];
const ref = (kind: string, name: string): Ref => refIn(namespace, kind, name);
const notListed: Problem = {
  reason: 'CredentialNotListed',
  message: 'no KongConsumer lists this Secret in its credentials',
  effect: 'credential not in force',
};
type StoredEvent = KubernetesEvent & { readonly series?: EventSeries };

describeCluster('Events', () => {
  let replica: Replica;
  let count = 0;
  const commands = () => commandsFor(controlPlane());
  const start = async (): Promise<Replica> => {
    count += 1;
    const started = await startReplica({ access: controlPlane(), namespace, kinds, lease: `lease-${count}` });
    await started.leads();
    return started;
  };
  const create = async (one: Ref): Promise<void> => {
    await commands().apply(objectFor(one));
    await replica.followed(one);
  };
  const eventsOf = async ({ kind, name, namespace: within }: Ref): Promise<StoredEvent[]> => {
    const where = within === '' ? 'default' : within;
    const selector = `regarding.kind=${kind},regarding.name=${name}`;
    const args = ['get', 'events.v1.events.k8s.io', '-n', where, '--field-selector', selector, '-o', 'json'];
    return (JSON.parse(await commands().kubectl(args)) as { items: StoredEvent[] }).items;
  };
  const isEvent = ({ path }: { readonly path: string }): boolean => path.includes('/events');
  /** Waits until so many requests about Events have been answered. */
  const asked = async (wanted: number): Promise<unknown> =>
    replica.seen(`${wanted} requests about Events`, () => replica.answered().filter(isEvent).length >= wanted);

  beforeAll(async () => {
    await installDefinitions(controlPlane());
    await commands().kubectl(['create', 'namespace', namespace]);
  });
  beforeEach(async () => {
    replica = await start();
  });
  afterEach(async () => replica.stop());

  test.for(kinds)('a %s that is wrong has a Warning that says what to do', async (kind) => {
    const object = ref(kind, 'wrong');
    await create(object);
    const problem = kind === 'Secret' ? notListed : badConfig();
    replica.say(object, problem);
    await asked(1);
    const [event, ...more] = await eventsOf(object);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      type: 'Warning',
      reason: problem.reason,
      action: 'Translate',
      reportingController: 'latchkey.dev/controller',
      reportingInstance: 'replica',
      regarding: { kind, name: 'wrong', uid: replica.object(object)?.metadata.uid },
    });
    // kubectl describes a Secret without its Events.
    const how = kind === 'Secret' ? ['events', `--for=secret/wrong`] : ['describe', kind, 'wrong'];
    const described = await commands().kubectl([...how, '-n', namespace]);
    expect(described).toMatch(new RegExp(String.raw`Warning\s+${problem.reason}\s.*${problem.message}`));
    if (object.namespace === '') await commands().kubectl(['delete', kind, 'wrong']);
  });

  test('a problem that is gone within a moment is not told, nor that it is mended', async () => {
    const patient = await startReplica({ access: controlPlane(), namespace, kinds, lease: 'patient', settleMs: 300 });
    await patient.leads();
    const [passing, lasting] = [ref('KongConsumer', 'passing'), ref('KongConsumer', 'lasting')];
    for (const one of [passing, lasting]) {
      await commands().apply(objectFor(one));
      await patient.followed(one);
    }
    patient.say(passing, noSecret(namespace, 'absent'));
    patient.say(passing);
    patient.say(lasting, noSecret(namespace, 'absent'));
    await patient.seen('an Event', () => patient.answered().some(isEvent));
    expect(await eventsOf(passing)).toEqual([]);
    expect((await eventsOf(lasting)).map(({ type, reason }) => `${type} ${reason}`)).toEqual([
      'Warning SecretNotFound',
    ]);
    patient.say(lasting);
    await patient.seen('two Events', () => patient.answered().filter(isEvent).length >= 2);
    const told = (await eventsOf(lasting)).map(({ type, reason }) => `${type} ${reason}`);
    expect(told.sort()).toEqual(['Normal Programmed', 'Warning SecretNotFound']);
    await patient.stop();
  });

  test('each problem is told once, at every report and at an edit', async () => {
    const object = ref('KongConsumer', 'once');
    await create(object);
    replica.say(object, noSecret(namespace, 'a'), ignored);
    await asked(2);
    replica.say(object, noSecret(namespace, 'a'), ignored);
    replica.say(object, noSecret(namespace, 'a'), ignored, noSecret(namespace, 'b'));
    await asked(3);
    const events = await eventsOf(object);
    expect(events.map(({ series }) => series)).toEqual([undefined, undefined, undefined]);
    expect(replica.writes().filter(isEvent)).toHaveLength(3);
  });

  test('one that comes again is counted, and that it is mended is told', async () => {
    const object = ref('KongPlugin', 'again');
    await create(object);
    replica.say(object, badConfig());
    await asked(1);
    replica.say(object);
    await asked(2);
    replica.say(object, badConfig()); // refused, read, counted
    await asked(5);
    replica.say(object);
    await asked(8);
    replica.say(object, badConfig());
    await asked(11);
    const events = await eventsOf(object);
    expect(events.map(({ type, reason, series }) => `${type} ${reason} ${series?.count}`).sort()).toEqual([
      'Normal Programmed 2',
      'Warning InvalidConfig 3',
    ]);
  });

  test('a restart does not tell again what was told', async () => {
    const object = ref('Ingress', 'restart');
    await create(object);
    replica.say(object, badConfig());
    await asked(1);
    await replica.stop();
    replica = await start();
    await replica.followed(object);
    replica.say(object, badConfig());
    await asked(1);
    const [event, ...more] = await eventsOf(object);
    expect([event?.series, more]).toEqual([undefined, []]);
  });

  test('an object that is created anew is told anew', async () => {
    const object = ref('Ingress', 'anew');
    await create(object);
    replica.say(object, badConfig());
    await asked(1);
    const before = replica.object(object)?.metadata.uid;
    await commands().kubectl(['delete', 'ingress', 'anew', '-n', namespace]);
    await create(object);
    await replica.seen('the new one', () => ![undefined, before].includes(replica.object(object)?.metadata.uid));
    await asked(2);
    expect(await eventsOf(object)).toHaveLength(2);
  });

  test('a note that is too long is cut, not refused', async () => {
    const object = ref('KongPlugin', 'long');
    await create(object);
    replica.say(object, badConfig(`config.key_names: ${'ü'.repeat(2000)}`));
    await asked(1);
    const [event] = await eventsOf(object);
    expect(Buffer.byteLength(event?.note ?? '')).toBeGreaterThan(1000);
    expect(event?.note).toMatch(/ü … \(cut\)$/);
  });

  test('in a namespace that is being deleted nothing is tried for ever', async () => {
    const within = 'status-events-deleted';
    await commands().kubectl(['create', 'namespace', within]);
    const held = { ...objectFor({ kind: 'Ingress', namespace: within, name: 'held' }) };
    await commands().apply({ ...held, metadata: { ...held.metadata, finalizers: ['example.com/held'] } });
    const text = await commands().kubectl(['get', 'ingress', 'held', '-n', within, '-o', 'json']);
    await commands().kubectl(['delete', 'namespace', within, '--wait=false']);
    const other = await startReplica({
      access: controlPlane(),
      namespace,
      kinds: [],
      lease: 'deleted',
      objectOf: () => JSON.parse(text) as ReturnType<typeof objectFor>,
    });
    await other.leads();
    other.status.report(
      [{ ref: { kind: 'Ingress', namespace: within, name: 'held' }, generation: 1, problems: [badConfig()] }],
      [],
    );
    await other.seen('the refusal', () => other.refusals().some((refusal) => refusal.includes('being terminated')));
    const renewals = other.renewals();
    await other.seen('five renewals', () => other.renewals() >= renewals + 5);
    expect(other.writes().filter(isEvent)).toHaveLength(1);
    await other.stop();
    await commands().kubectl([
      'patch',
      'ingress',
      'held',
      '-n',
      within,
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/metadata/finalizers"}]',
    ]);
  });
});
