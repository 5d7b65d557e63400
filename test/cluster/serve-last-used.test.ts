/** When keys were last used, of two whole replicas as the chart runs them: only the one that follows sees requests. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeCluster } from '../support/cluster-context.ts';
import { consumer, openAndGuarded, secret } from '../support/cluster-objects.ts';
import { send } from '../support/client.ts';
import type { LatchkeyProcess } from '../support/latchkey-process.ts';
import { askedOf, startServedCluster, type ServedCluster } from '../support/served-cluster.ts';
import { untilFound } from '../support/until-found.ts';
import { untilStatus } from '../support/until-status.ts';

/** Workers tell every 5 s, and every 10 s what is due is looked for. */
const deadlineMs = 30_000;

describeCluster('replicas that note which keys are used', () => {
  let cluster: ServedCluster;

  beforeAll(async () => {
    const env = { credential_last_used: true, credential_last_used_interval: 1 };
    cluster = await startServedCluster({ values: { ingressController: { env } } });
    await cluster.apply(
      ...openAndGuarded,
      secret('alice-idle', 'idle'),
      consumer('alice', ['alice-key', 'alice-idle']),
    );
  });
  afterAll(async () => cluster.stop());

  const timesOfAlice = async (): Promise<string> =>
    cluster.kubectl([
      'get',
      'kongconsumer',
      'alice',
      '-o',
      'jsonpath={range .status.credentials[*]}{.name} {.lastUsedTime};{end}',
    ]);
  const leads = async ({ statusPort }: LatchkeyProcess): Promise<boolean> =>
    /leader_election_master_status\{[^}]*\} 1/.test((await send({ port: statusPort, path: '/metrics' })).body);

  test('the key that the follower let in is told on the consumer, and forgotten with it', async () => {
    const leader = await cluster.start({ pod: 'latchkey-0' });
    await untilFound('it leads', async () => ((await leads(leader)) ? true : undefined));
    const follower = await cluster.start({ pod: 'latchkey-1' });
    const beforeMs = Date.now();
    await untilStatus(askedOf(follower)('/guarded', 'alices-key'), 200);
    const told = await untilFound('it is told', async () => (await timesOfAlice()) || undefined, deadlineMs);
    const [, time = ''] = /^alice-key (\d{4}-\d\d-\d\dT\d\d:\d\d:00Z);$/.exec(told) ?? [];
    expect(Date.parse(time)).toBeGreaterThan(beforeMs - 60_000);
    expect(Date.parse(time)).toBeLessThanOrEqual(Date.now());
    expect(await leads(follower)).toBe(false);

    await cluster.kubectl(['patch', 'kongconsumer', 'alice', '--type=merge', '-p', '{"credentials":["alice-idle"]}']);
    await untilFound('it is forgotten', async () => ((await timesOfAlice()) === '' ? true : undefined), deadlineMs);
    expect(await follower.stop()).toBe(0);
    expect(await leader.stop()).toBe(0);
  }, 120_000);
});
