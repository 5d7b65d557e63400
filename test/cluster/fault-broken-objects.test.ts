import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindNamed } from '#resources/all-kinds.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { describeCluster } from '../support/cluster-context.ts';
import { consumer, inDefault, ingress, keyAuth, secret } from '../support/cluster-objects.ts';
import type { LatchkeyProcess } from '../support/latchkey-process.ts';
import { brokenObjects, credentialSecrets, goodObjects } from '../support/many-objects.ts';
import { askedOf, startServedCluster, type ServedCluster } from '../support/served-cluster.ts';
import { untilFound } from '../support/until-found.ts';
import { statusOf, untilStatus } from '../support/until-status.ts';

/** Of each kind; four kinds make the thousand. */
const good = 250;
/** An object may have 1.5 MiB, a Secret 1 MiB: https://kubernetes.io/docs/concepts/configuration/secret/ */
const megabyte = 1024 * 1024;
const requestsAtOnce = 16;
/** What others' Secrets may cost, in MB of resident memory: what a heap may happen to grow by. */
const toleratedMb = 30;

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

const conditionOf = ({ status }: KubernetesObject): Condition | undefined =>
  (status as { conditions?: readonly Condition[] } | undefined)?.conditions?.find(({ type }) => type === 'Programmed');

const keyOf = ({ kind, metadata }: Pick<KubernetesObject, 'kind' | 'metadata'>): string => `${kind}/${metadata.name}`;

async function residentMb({ child }: LatchkeyProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

describeCluster('a hundred broken objects among a thousand good ones', () => {
  let cluster: ServedCluster;
  let latchkey: LatchkeyProcess;
  let ask: ReturnType<typeof askedOf>;

  const createAll = async (objects: readonly KubernetesObject[]): Promise<void> => {
    const waiting = [...objects];
    const create = async (): Promise<void> => {
      for (let object = waiting.shift(); object !== undefined; object = waiting.shift()) {
        const { status, object: answer } = await cluster.api.create(object);
        if (status !== 201) throw new Error(`${keyOf(object)}: ${status} ${answer.message}`);
      }
    };
    await Promise.all(Array.from({ length: requestsAtOnce }, create));
  };

  const list = async (kind: string): Promise<KubernetesObject[]> => {
    const { plural } = kindNamed(kind);
    return (JSON.parse(await cluster.kubectl(['get', plural, '-A', '-o', 'json'])) as { items: KubernetesObject[] })
      .items;
  };

  beforeAll(async () => {
    cluster = await startServedCluster();
    await cluster.apply(keyAuth('auth'));
    await createAll(goodObjects(good));
    const { metadata } = (await cluster.api.read(goodObjects(1)[0] as KubernetesObject)).object;
    // Creation times have seconds, and who is younger loses a conflict.
    await untilFound('the next second', async () => {
      await cluster.api.read(keyAuth('auth'));
      return Date.now() - Date.parse(metadata.creationTimestamp ?? '') > 1000 || undefined;
    });
    await createAll([...credentialSecrets, ...brokenObjects.map(({ object }) => object)]);
    latchkey = await cluster.start();
    ask = askedOf(latchkey);
  });
  afterAll(async () => cluster.stop());

  test('every good one is served', async () => {
    for (let i = 0; i < good; i += 1) {
      expect([i, await statusOf(ask(`/good-${i}`))]).toEqual([i, 200]);
      expect([i, await statusOf(ask(`/guarded-${i}`, `good-key-${i}`))]).toEqual([i, 200]);
      expect([i, await statusOf(ask(`/guarded-${i}`))]).toEqual([i, 401]);
    }
  });

  test('every broken one says so, in its condition and in an Event, and the good ones say that they are in force', async () => {
    const kinds = ['KongConsumer', 'KongPlugin', 'KongClusterPlugin'];
    const toldBy = async () => (await Promise.all(kinds.map(list))).flat();
    const wrong = async (): Promise<string[]> => {
      const conditions = new Map((await toldBy()).map((object) => [keyOf(object), conditionOf(object)]));
      const broken = new Map(brokenObjects.map(({ object, reason }) => [keyOf(object), reason]));
      return [...conditions].flatMap(([key, condition]) => {
        const [wanted, is] = [broken.get(key) ?? 'Programmed', condition?.reason];
        return is === wanted ? [] : [`${key}: ${is} and not ${wanted}`];
      });
    };
    let last: string[] = [];
    await untilFound('all conditions', async () => (last = await wrong()).length === 0 || undefined).catch(() =>
      expect(last).toEqual([]),
    );
    const silent = async (): Promise<string[]> => {
      const line = '{.involvedObject.kind}/{.involvedObject.name} {.reason}{"\\n"}';
      const said = await cluster.kubectl(['get', 'events', '-A', '-o', `jsonpath={range .items[*]}${line}{end}`]);
      const all = new Set(said.split('\n'));
      return brokenObjects.map(({ object, reason }) => `${keyOf(object)} ${reason}`).filter((told) => !all.has(told));
    };
    await untilFound('all Events', async () => (last = await silent()).length === 0 || undefined).catch(() =>
      expect(last).toEqual([]),
    );
  }, 180_000);

  test('changes of the good ones are in force at once', async () => {
    const startedAtMs = Date.now();
    await cluster.api.create(ingress('new', '/new', { 'konghq.com/plugins': 'auth' }));
    await cluster.api.create(secret('new-key', 'new-key'));
    await cluster.api.create(consumer('new', ['new-key']));
    await untilStatus(ask('/new', 'new-key'), 200);
    expect(Date.now() - startedAtMs).toBeLessThan(10_000);
  });

  test('a message that is longer than the API server takes is cut, and the remedy is still in it', async () => {
    const names = Array.from({ length: 500 }, (_, i) => `a-secret-with-quite-a-long-name-that-is-nowhere-${i}`);
    await cluster.api.create(consumer('long', names));
    const condition = await untilFound('its condition', async () => {
      const told = conditionOf((await cluster.api.read(consumer('long', []))).object);
      return told?.status === 'False' ? told : undefined;
    });
    expect(condition.reason).toBe('SecretNotFound');
    expect(Buffer.byteLength(condition.message)).toBeLessThanOrEqual(32_768);
    expect(condition.message).toMatch(/^\[1\/500\] .* … \(cut: too long for a condition\).*Create the Secret/);
    expect(latchkey.output()).not.toContain('the API server refuses');
  });

  test('a credential Secret of a megabyte is read like any other', async () => {
    const big = { ...secret('big', ''), stringData: { key: 'big-key', ballast: 'x'.repeat(megabyte - 100) } };
    await createAll([big, consumer('big', ['big'])] as KubernetesObject[]);
    await untilStatus(ask('/guarded-0', 'big-key'), 200);
    const huge = { ...secret('huge', ''), stringData: { key: 'x'.repeat(megabyte - 100) } };
    await createAll([huge, consumer('huge', ['huge'])] as KubernetesObject[]);
    await cluster.kubectl(['wait', '--for=condition=Programmed', 'kongconsumer/huge', '--timeout=60s']);
    await untilStatus(ask('/guarded-0', 'good-key-0'), 200, 0);
  });

  test('three hundred Secrets of others, a megabyte each, are let go of again', async () => {
    const before = await residentMb(latchkey);
    const ballast = 'x'.repeat(megabyte - 100);
    const others = Array.from({ length: 300 }, (_, i) => ({
      ...secret(`other-${i}`, ''),
      metadata: inDefault(`other-${i}`),
      stringData: { ballast },
    }));
    await createAll(others);
    // What came after them has arrived, and so would they have.
    await createAll([secret('after', 'after-key'), consumer('after', ['after'])] as KubernetesObject[]);
    await untilStatus(ask('/guarded-0', 'after-key'), 200);
    // They were sent and let go of again; their memory is given back soon after.
    await untilFound(
      'their memory is given back',
      async () => (await residentMb(latchkey)) - before < toleratedMb || undefined,
    );
    const second = await cluster.start({ pod: 'latchkey-1' });
    // One that starts has to list them; it stays within what the chart grants, and serves.
    const bound = (await readFile('charts/latchkey/values.yaml', 'utf8')).match(/limits:\n\s+memory: (\d+)Gi/)?.[1];
    expect(await residentMb(second)).toBeLessThan(Number(bound) * 1024);
    await untilStatus(askedOf(second)('/guarded-0', 'after-key'), 200);
    expect(latchkey.output()).not.toContain('"level":50');
  }, 240_000);
});
