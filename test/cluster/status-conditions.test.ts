/** What people read in the status of their objects, on a real API server. */
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import { conditionIn, type Condition } from '#status/conditions.ts';
import { commandsFor, controlPlane, describeCluster } from '../support/cluster-context.ts';
import { installDefinitions } from '../support/custom-resources.ts';
import { badConfig, ignored, noSecret, objectFor, refIn } from '../support/status-objects.ts';
import { startReplica, type Replica } from '../support/status-replica.ts';

const namespace = 'status-conditions';
const kinds = ['KongConsumer', 'KongPlugin', 'KongClusterPlugin'];
const ref = (kind: string, name: string): Ref => refIn(namespace, kind, name);

describeCluster('conditions', () => {
  let replica: Replica;
  const commands = () => commandsFor(controlPlane());
  const kubectl = async (...args: string[]): Promise<string> => commands().kubectl([...args, '--namespace', namespace]);
  const patchStatus = async (object: Ref, status: object): Promise<string> =>
    kubectl(
      'patch',
      object.kind,
      object.name,
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    );
  /** Whether some object once had this condition, for however short a time. */
  const wasSeen = (matches: (condition: Condition) => boolean): boolean =>
    replica.versions().some(({ status }) => {
      const condition = conditionIn(status, 'Programmed');
      return condition !== undefined && matches(condition);
    });
  /** Creates objects and waits until the replica has them. */
  const create = async (...refs: readonly Ref[]): Promise<void> => {
    await commands().apply(...refs.map(objectFor));
    await Promise.all(refs.map(async (one) => replica.followed(one)));
  };

  beforeAll(async () => {
    await installDefinitions(controlPlane());
    await commands().kubectl(['create', 'namespace', namespace]);
  });
  beforeEach(async () => {
    replica = await startReplica({ access: controlPlane(), namespace, kinds, ingressClass: 'kong' });
    await replica.leads();
  });
  afterEach(async () => replica.stop());

  test.for(kinds)('a %s that is in force is Programmed, as kubectl wait sees it', async (kind) => {
    const object = ref(kind, 'in-force');
    await create(object);
    replica.say(object);
    await kubectl('wait', '--for=condition=Programmed', `${kind}/in-force`, '--timeout=60s');
    expect(await replica.told(object, { status: 'True' })).toMatchObject({
      reason: 'Programmed',
      message: 'In force: requests meet it.',
      observedGeneration: 1,
    });
    expect(await kubectl('get', kind, 'in-force')).toMatch(/True\s*$/);
    if (object.namespace === '') await kubectl('delete', kind, 'in-force');
  });

  test('kubectl describe alone tells why a key does not work, and what to do', async () => {
    const object = ref('KongConsumer', 'describe');
    await create(object);
    replica.say(object, ignored, noSecret(namespace, 'alice-key'));
    await replica.told(object, { status: 'False', reason: 'SecretNotFound' });
    const described = await kubectl('describe', 'kongconsumer', 'describe');
    expect(described).toContain(
      `[1/2] credentials[0]: Secret ${namespace}/alice-key does not exist – credential not in force. ` +
        '[2/2] consumerGroups: is not supported yet – field ignored. Create the Secret',
    );
  });

  test('what is only ignored leaves the object Programmed, and is told', async () => {
    const object = ref('KongConsumer', 'ignored');
    await create(object);
    replica.say(object, ignored);
    const { message } = await replica.told(object, { status: 'True', reason: 'Programmed' });
    expect(message).toMatch(/^In force, with exceptions: consumerGroups: is not supported yet – field ignored\. /);
  });

  test('a key that ends soon is told beside Programmed, and no longer once it does not', async () => {
    const object = ref('KongConsumer', 'expiring');
    await create(object);
    replica.say(object, {
      reason: 'CredentialExpiring',
      message: 'credentials[0]: Secret x/y expires at 2199-01-01T00:00:00Z',
      effect: 'in force until then',
    });
    const condition = await replica.told(object, { type: 'CredentialsExpiring', status: 'True' });
    expect(condition.message).toContain('Secret x/y expires at 2199-01-01T00:00:00Z – in force until then. ');
    await replica.told(object, { status: 'True', message: 'In force: requests meet it.' });
    replica.say(object);
    await replica.seen('the condition is gone', () => {
      const status = replica.object(object)?.['status'];
      return (
        conditionIn(status, 'Programmed') !== undefined && conditionIn(status, 'CredentialsExpiring') === undefined
      );
    });
  });

  test('lastTransitionTime changes with the status, not with the message', async () => {
    const object = ref('KongConsumer', 'since');
    await create(object);
    replica.say(object, noSecret(namespace, 'one'));
    const condition = await replica.told(object, { status: 'False' });
    const longAgo = '2001-02-03T04:05:06Z';
    await patchStatus(object, { conditions: [{ ...condition, lastTransitionTime: longAgo }] });
    await replica.told(object, { lastTransitionTime: longAgo });

    replica.say(object, noSecret(namespace, 'two'));
    const next = await replica.told(object, { message: condition.message.replace('/one', '/two') });
    expect(next.lastTransitionTime).toBe(longAgo);

    replica.say(object);
    const last = await replica.told(object, { status: 'True' });
    expect(Date.now() - Date.parse(last.lastTransitionTime)).toBeLessThan(20_000);
  });

  test('observedGeneration follows an edit', async () => {
    const object = ref('KongConsumer', 'edited');
    await create(object);
    replica.say(object);
    await replica.told(object, { observedGeneration: 1 });
    await commands().apply({ ...objectFor(object), username: 'bob' });
    await replica.seen('the edit', () => replica.object(object)?.metadata.generation === 2);
    replica.say(object);
    await replica.told(object, { observedGeneration: 2, status: 'True' });
  });

  test.for(kinds)('the status of a %s that somebody tampers with is put right', async (kind) => {
    const object = ref(kind, 'tampered');
    await create(object);
    replica.say(object, badConfig());
    const right = await replica.told(object, { status: 'False' });
    await patchStatus(object, { conditions: [{ ...right, status: 'True', reason: 'Fine', message: 'all is well' }] });
    await replica.seen('it is tampered with', () => wasSeen(({ message }) => message === 'all is well'));
    const again = await replica.told(object, { status: 'False', reason: 'InvalidConfig' });
    expect(again.message).toBe(right.message);
    if (object.namespace === '') await kubectl('delete', kind, 'tampered');
  });

  test('a condition that somebody removes comes back', async () => {
    const object = ref('KongConsumer', 'removed');
    await create(object);
    replica.say(object);
    await replica.told(object, { status: 'True' });
    const version = Number(replica.object(object)?.metadata.resourceVersion);
    await patchStatus(object, { conditions: [] });
    const isGone = ({ metadata, status }: KubernetesObject): boolean =>
      metadata.name === 'removed' && Number(metadata.resourceVersion) > version && !conditionIn(status, 'Programmed');
    await replica.seen('it is gone', () => replica.versions().some(isGone));
    await replica.told(object, { status: 'True' });
  });

  test('conditions of others stay', async () => {
    const object = ref('KongPlugin', 'neighbours');
    await create(object);
    const other = {
      type: 'example.com/Audited',
      status: 'True',
      reason: 'Read',
      message: 'by people',
      lastTransitionTime: '2020-01-01T00:00:00Z',
    };
    await patchStatus(object, { conditions: [other] });
    replica.say(object);
    await replica.told(object, { status: 'True' });
    expect(replica.condition(object, other.type)).toEqual(other);
  });

  test('an idle controller writes nothing but its Lease', async () => {
    const object = ref('KongConsumer', 'idle');
    await create(object);
    replica.say(object, noSecret(namespace, 'idle'));
    await replica.told(object, { status: 'False' });
    await replica.seen('its Event', () => replica.writes().some(({ path }) => path.includes('/events')));
    const version = replica.object(object)?.metadata.resourceVersion;
    const writes = replica.writes().length;
    const renewals = replica.renewals();
    replica.say(object, noSecret(namespace, 'idle'));
    replica.status.observed([object]);
    await replica.seen('ten renewals', () => replica.renewals() >= renewals + 10);
    expect(replica.writes()).toHaveLength(writes);
    expect(replica.object(object)?.metadata.resourceVersion).toBe(version);
  });

  test('what is not ours is never touched', async () => {
    const foreign = ref('KongConsumer', 'foreign');
    const ours = ref('KongConsumer', 'ours');
    await create(foreign, ours);
    const version = replica.object(foreign)?.metadata.resourceVersion;
    const verdict = { ref: foreign, generation: 1, problems: [noSecret(namespace, 'x')], notOurs: 'another class' };
    replica.status.report([verdict], []);
    replica.say(ours);
    await replica.told(ours, { status: 'True' });
    expect(replica.object(foreign)?.metadata.resourceVersion).toBe(version);
    expect(replica.writes().filter(({ path }) => path.includes('foreign'))).toEqual([]);
  });

  test('a message that is too long is cut, not refused', async () => {
    const object = ref('KongPlugin', 'long');
    await create(object);
    replica.say(
      object,
      ...Array.from({ length: 500 }, (_, at) => badConfig(`config.key_names[${at}]: ${'ü'.repeat(100)}`)),
    );
    const { message } = await replica.told(object, { status: 'False', reason: 'InvalidConfig' });
    expect(Buffer.byteLength(message)).toBeGreaterThan(32_000);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(32_768);
    expect(message).toContain('… (cut: too long for a condition) Correct the field');
  });

  test('a status never lands on a namesake that was created meanwhile', async () => {
    const object = ref('KongConsumer', 'namesake');
    await create(object);
    const stale = replica.object(object);
    await kubectl('delete', 'kongconsumer', 'namesake');
    await create(object);
    await replica.seen('the new one', () => replica.object(object)?.metadata.uid !== stale?.metadata.uid);
    const other = await startReplica({
      access: controlPlane(),
      namespace,
      kinds: [],
      lease: 'namesake',
      objectOf: () => stale,
    });
    await other.leads();
    other.status.report([{ ref: object, generation: 1, problems: [] }], []);
    await other.seen('a refusal', () => other.refusals().some((refusal) => refusal.includes('has been modified')));
    await other.stop();
    expect(replica.condition(object)?.status).toBe('Unknown');
  });

  test('1,000 changes at once are all told, each with one write', async () => {
    const refs = Array.from({ length: 1000 }, (_, at) => ref('KongPlugin', `burst-${at}`));
    for (let at = 0; at < refs.length; at += 250) await commands().apply(...refs.slice(at, at + 250).map(objectFor));
    await replica.seen('all of them', () => refs.every((one) => replica.object(one) !== undefined));
    for (const [at, one] of refs.entries()) replica.say(one, ...(at % 10 === 0 ? [badConfig()] : []));
    await replica.seen(
      'all told',
      () => refs.every((one, at) => replica.condition(one)?.status === (at % 10 === 0 ? 'False' : 'True')),
      120_000,
    );
    expect(replica.writes().filter(({ path }) => path.endsWith('/status'))).toHaveLength(1000);
  }, 240_000);
});
