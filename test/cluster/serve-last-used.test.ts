/** When keys were last used, of two whole replicas as the chart runs them: only the one that follows sees requests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeCluster } from '../support/cluster-context.ts';
import { consumer, inDefault, ingress, keyAuth, openAndGuarded, secret } from '../support/cluster-objects.ts';
import { send } from '../support/client.ts';
import type { LatchkeyProcess } from '../support/latchkey-process.ts';
import { askedOf, startServedCluster, type ServedCluster } from '../support/served-cluster.ts';
import { untilFound } from '../support/until-found.ts';
import { untilStatus } from '../support/until-status.ts';

const password = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: inDefault('alice-password', { labels: { 'konghq.com/credential': 'basic-auth' } }),
  stringData: { username: 'alice', password: 'open' },
};

describeCluster('replicas that note which keys are used', () => {
  let cluster: ServedCluster;

  beforeAll(async () => {
    const env = { credential_last_used: true, credential_last_used_interval: 1 };
    cluster = await startServedCluster({ values: { ingressController: { env } } });
    await cluster.apply(
      ...openAndGuarded,
      { ...keyAuth('basic'), plugin: 'basic-auth' },
      ingress('basic', '/basic', { 'konghq.com/plugins': 'basic' }),
      secret('alice-idle', 'idle'),
      password,
      consumer('alice', ['alice-key', 'alice-idle', 'alice-password']),
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
  /** What the command of docs/keys.md prints. */
  const unused = async (): Promise<string> => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'keys.md'), 'utf8');
    const template =
      /```sh keys=unused\nkubectl get kongconsumers -A -o go-template='([^']+)'\n```/.exec(page)?.[1] ?? '';
    return cluster.kubectl(['get', 'kongconsumers', '-A', '-o', `go-template=${template}`]);
  };
  const leads = async ({ statusPort }: LatchkeyProcess): Promise<boolean> =>
    /leader_election_master_status\{[^}]*\} 1/.test((await send({ port: statusPort, path: '/metrics' })).body);

  test('the key that the follower let in is told on the consumer, and forgotten with it', async () => {
    const leader = await cluster.start({ pod: 'latchkey-0' });
    await untilFound('it leads', async () => ((await leads(leader)) ? true : undefined));
    const follower = await cluster.start({ pod: 'latchkey-1' });
    const beforeMs = Date.now();
    await untilStatus(askedOf(follower)('/guarded', 'alices-key'), 200);
    const told = await untilFound('it is told', async () => (await timesOfAlice()) || undefined);
    expect(await unused()).toBe('default/alice-idle of alice: never\ndefault/alice-password of alice: never\n');
    const [, time = ''] = /^alice-key (\d{4}-\d\d-\d\dT\d\d:\d\d:00Z);$/.exec(told) ?? [];
    expect(Date.parse(time)).toBeGreaterThan(beforeMs - 60_000);
    expect(Date.parse(time)).toBeLessThanOrEqual(Date.now());
    expect(await leads(follower)).toBe(false);

    const authorization = `Basic ${Buffer.from('alice:open').toString('base64')}`;
    const answer = await send({
      port: follower.proxyPort,
      path: '/basic',
      headers: [['authorization', authorization]],
    });
    expect(answer.status).toBe(200);
    await untilFound('the password too', async () => (await timesOfAlice()).includes('alice-password ') || undefined);

    await cluster.kubectl(['patch', 'kongconsumer', 'alice', '--type=merge', '-p', '{"credentials":["alice-idle"]}']);
    await untilFound('it is forgotten', async () => ((await timesOfAlice()) === '' ? true : undefined));
    expect(await follower.stop()).toBe(0);
    expect(await leader.stop()).toBe(0);
  }, 240_000);
});
