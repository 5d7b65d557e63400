import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeCluster } from '../support/cluster-context.ts';
import { consumer, openAndGuarded } from '../support/cluster-objects.ts';
import type { LatchkeyProcess } from '../support/latchkey-process.ts';
import { streamRequests } from '../support/request-stream.ts';
import { askedOf, releaseNamespace, startServedCluster, type ServedCluster } from '../support/served-cluster.ts';
import { printedSince, untilFound, untilReadiness } from '../support/until-found.ts';
import { untilStatus } from '../support/until-status.ts';

/** How long a Lease holds, a look of whoever waits for it, and a busy machine, in milliseconds. */
const takeoverMs = 15_000 + 1000 + 10_000;

describeCluster('replicas as the chart runs them', () => {
  let cluster: ServedCluster;

  beforeAll(async () => {
    cluster = await startServedCluster();
    await cluster.apply(...openAndGuarded);
  });
  afterAll(async () => cluster.stop());

  const holder = async (): Promise<string | undefined> =>
    cluster
      .kubectl(['get', 'lease', '-n', releaseNamespace, '-o', 'jsonpath={.items[*].spec.holderIdentity}'])
      .then((name) => (name === '' ? undefined : name));

  test('the leader is killed: the other proxies all the while and writes status within the Lease', async () => {
    const pods = new Map<string, LatchkeyProcess>();
    for (const pod of ['latchkey-0', 'latchkey-1']) pods.set(pod, await cluster.start({ pod }));
    const leading = await untilFound('somebody leads', holder);
    const leader = pods.get(leading) as LatchkeyProcess;
    const other = [...pods.values()].find((replica) => replica !== leader) as LatchkeyProcess;
    for (const replica of pods.values()) await untilStatus(askedOf(replica)('/guarded', 'alices-key'), 200);
    const stream = streamRequests(askedOf(other)('/guarded', 'alices-key'));
    const first = streamRequests(askedOf(leader)('/open'));
    await first.more(100);
    expect(await first.stop()).toEqual({ 200: expect.any(Number) });

    const killedAtMs = Date.now();
    leader.child.kill('SIGKILL');
    await cluster.apply(consumer('bob', ['nowhere']));
    const reason = '--for=jsonpath={.status.conditions[0].reason}=SecretNotFound';
    await cluster.kubectl(['wait', reason, 'kongconsumer/bob', '--timeout=60s']);
    expect(Date.now() - killedAtMs).toBeLessThan(takeoverMs);
    expect(await holder()).not.toBe(leading);
    expect(await stream.stop()).toEqual({ 200: expect.any(Number) });
    await other.stop();
  }, 180_000);

  test('a leader that is stopped hands over at once', async () => {
    const first = await cluster.start({ pod: 'latchkey-2' });
    const waiting = printedSince(first);
    await untilFound('it leads', async () => ((await holder()) === 'latchkey-2' ? true : undefined));
    const second = await cluster.start({ pod: 'latchkey-3' });
    const printed = printedSince(second);
    await first.stop();
    await printed.says(/leads: writes status/, 10_000);
    expect(waiting.text()).toContain('no longer leads: stops');
    await second.stop();
  });

  test('in a pod: by its environment and files alone, and with the next token when the old one is refused', async () => {
    const latchkey = await cluster.start({ pod: 'latchkey-4', inPod: true });
    const ask = askedOf(latchkey);
    await untilStatus(ask('/guarded', 'alices-key'), 200);
    const stream = streamRequests(ask('/guarded', 'alices-key'));
    const printed = printedSince(latchkey);
    const account = ['serviceaccount', 'latchkey', '-n', releaseNamespace];
    await cluster.kubectl(['delete', ...account]);
    await cluster.kubectl(['create', ...account]);
    await printed.says(/cannot get or renew the Lease: Unauthorized/);
    await cluster.installed.rotateToken();
    await cluster.apply(consumer('carol', ['nowhere']));
    const reason = '--for=jsonpath={.status.conditions[0].reason}=SecretNotFound';
    await cluster.kubectl(['wait', reason, 'kongconsumer/carol', '--timeout=60s']);
    await untilReadiness(latchkey, { status: 200, text: /^ok/ });
    expect(await stream.stop()).toEqual({ 200: expect.any(Number) });
    expect(await latchkey.stop()).toBe(0);
  }, 180_000);
});
