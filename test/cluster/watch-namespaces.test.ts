import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeCluster } from '../support/cluster-context.ts';
import { consumer, openAndGuarded, service, slice } from '../support/cluster-objects.ts';
import type { LatchkeyProcess } from '../support/latchkey-process.ts';
import { streamRequests } from '../support/request-stream.ts';
import { askedOf, startServedCluster, type ServedCluster } from '../support/served-cluster.ts';
import { untilFound, untilReadiness } from '../support/until-found.ts';
import { untilStatus } from '../support/until-status.ts';

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

/** Keeps a namespace from being gone before the test lets it. */
const held = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'held', namespace: name, finalizers: ['latchkey.dev/test'] },
});

/** The objects of `default` in another namespace, with paths and keys of its own. */
const inNamespace = (objects: readonly object[], name: string): object[] =>
  (
    JSON.parse(JSON.stringify(objects).replaceAll(/"(\/|)(open|guarded|alices-key|alice)"/g, `"$1${name}-$2"`)) as {
      metadata: { name: string };
    }[]
  ).map((object) => ({ ...object, metadata: { ...object.metadata, namespace: name } }));

const values = { ingressController: { watchNamespaces: ['team-a', 'team-b'] } };

describeCluster('namespaces', () => {
  let cluster: ServedCluster;
  let everywhere: LatchkeyProcess;
  let latchkey: LatchkeyProcess;
  let ask: ReturnType<typeof askedOf>;

  const fill = async (name: string): Promise<void> => {
    const backends = [service, slice(cluster.pods.addresses, cluster.pods.port)];
    await cluster.apply(...inNamespace([...backends, ...openAndGuarded], name));
    await cluster.apply(...inNamespace([consumer(`${name}-broken`, ['nowhere'])], name));
  };

  beforeAll(async () => {
    cluster = await startServedCluster();
    await cluster.apply(...['team-a', 'team-b', 'team-c', 'doomed'].map(namespace));
    for (const name of ['team-a', 'team-b', 'team-c', 'doomed']) await fill(name);
    const narrow = await cluster.install('narrow', values);
    everywhere = await cluster.start();
    latchkey = await narrow.start({ pod: 'narrow-0' });
    ask = askedOf(latchkey);
  });
  afterAll(async () => cluster.stop());

  const linesOf = (replica: LatchkeyProcess, level: number): string[] =>
    replica
      .output()
      .split('\n')
      .filter((line) => line.includes(`"level":${level}`));

  test('only the namespaces that are named are read, with Roles alone', async () => {
    const roles = await cluster.kubectl(['get', 'clusterroles', '-o', 'name']);
    expect(roles).not.toContain('narrow');
    await untilReadiness(latchkey, { status: 200, text: /^ok$/ });
    for (const name of ['team-a', 'team-b']) {
      await untilStatus(ask(`/${name}-open`), 200);
      await untilStatus(ask(`/${name}-guarded`, `${name}-alices-key`), 200);
    }
    await untilStatus(ask('/team-c-open'), 404, 0);
    await untilStatus(askedOf(everywhere)('/team-c-open'), 200);
    const lease = await cluster.kubectl([
      'get',
      'lease',
      '-n',
      'narrow',
      '-o',
      'jsonpath={.items[*].spec.holderIdentity}',
    ]);
    expect(lease).toBe('narrow-0');
  });

  test('a namespace is being deleted: its objects go out of force, all else goes on, nothing is tried again and again', async () => {
    const ours = askedOf(everywhere);
    await untilStatus(ours('/doomed-guarded', 'doomed-alices-key'), 200);
    await cluster.apply(held('doomed'));
    await cluster.kubectl(['wait', '-n', 'doomed', '--for=condition=Programmed', 'kongplugin/auth', '--timeout=60s']);
    const stream = streamRequests(ours('/team-c-guarded', 'team-c-alices-key'));
    const linesBefore = everywhere.output().split('\n').length;
    await cluster.kubectl(['delete', 'namespace', 'doomed', '--wait=false']);
    await untilStatus(ours('/doomed-guarded', 'doomed-alices-key'), 404);
    await untilStatus(ours('/team-c-guarded', 'doomed-alices-key'), 401);
    await untilFound('it is terminating', async () =>
      (await cluster.kubectl(['get', 'namespace', 'doomed', '-o', 'jsonpath={.status.phase}'])) === 'Terminating'
        ? true
        : undefined,
    );
    const release = JSON.stringify({ metadata: { finalizers: null } });
    await cluster.kubectl(['patch', 'configmap', 'held', '-n', 'doomed', '--type=merge', '-p', release]);
    await cluster.kubectl(['wait', '--for=delete', 'namespace/doomed', '--timeout=60s']);
    expect(Object.keys(await stream.stop())).toEqual(['200']);
    expect(linesOf(everywhere, 50)).toEqual([]);
    expect(everywhere.output().split('\n').length - linesBefore).toBeLessThan(20);
  }, 240_000);

  test('a namespace that is named is deleted with its Role: it is said, the others go on, and it is back when it is back', async () => {
    const stream = streamRequests(ask('/team-a-guarded', 'team-a-alices-key'));
    await cluster.kubectl(['delete', 'namespace', 'team-b', '--timeout=60s']);
    await untilStatus(ask('/team-b-guarded', 'team-b-alices-key'), 404);
    await cluster.apply(...inNamespace([consumer('later', ['nowhere'])], 'team-a'));
    const reason = '--for=jsonpath={.status.conditions[0].reason}=SecretNotFound';
    await cluster.kubectl(['wait', '-n', 'team-a', reason, 'kongconsumer/later', '--timeout=60s']);
    await cluster.apply(namespace('team-b'));
    await cluster.install('narrow', values); // its Role in the new namespace
    await fill('team-b');
    await untilStatus(ask('/team-b-guarded', 'team-b-alices-key'), 200);
    await untilReadiness(latchkey, { status: 200, text: /^ok$/ });
    expect(Object.keys(await stream.stop())).toEqual(['200']);
    expect(linesOf(latchkey, 50)).toEqual([]);
  }, 240_000);
});
