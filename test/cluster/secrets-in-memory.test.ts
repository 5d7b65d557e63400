import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeCluster } from '../support/cluster-context.ts';
import { consumer, ingress, keyAuth, secret } from '../support/cluster-objects.ts';
import { heapFlags, heapText } from '../support/heap-text.ts';
import { askedOf, startServedCluster, type ServedCluster } from '../support/served-cluster.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { untilStatus } from '../support/until-status.ts';

const count = 100;

describeCluster('keys from a cluster', () => {
  let cluster: ServedCluster;
  beforeAll(async () => {
    cluster = await startServedCluster({ values: { adminApi: { writes: true } } });
  });
  afterAll(async () => cluster.stop());

  test('are not in the memory of the process, nor in its log', async () => {
    const keys = Array.from({ length: count }, () => `planted-${randomBytes(12).toString('hex')}`);
    const objectsOf = (key: string, i: number) => [
      secret(`key-${i}`, key),
      consumer(`visible-consumer-${i}`, [`key-${i}`]),
    ];
    // Nothing refers to these, and so nothing of them stays; a release of Helm is not even sent.
    const others = ['Opaque', 'helm.sh/release.v1'].map((type, i) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `other-${i}`, namespace: 'default', labels: { seen: `visible-secret-${i}` } },
      type,
      stringData: { value: `planted-${randomBytes(12).toString('hex')}` },
    }));
    await cluster.apply(...others);
    await cluster.apply(keyAuth('auth'), ingress('guarded', '/guarded', { 'konghq.com/plugins': 'auth' }));
    // Half of them are read with the first list, the others come by the watch; some of those change and go.
    await cluster.apply(...keys.slice(0, count / 2).flatMap(objectsOf));
    const snapshots = temporaryFolder();
    const latchkey = await cluster.start({
      nodeFlags: heapFlags(snapshots),
      args: ['--workers=1', '--log-level=debug'],
    });
    await cluster.apply(...keys.slice(count / 2, -2).flatMap((key, i) => objectsOf(key, i + count / 2)));
    const admin = `http://127.0.0.1:${latchkey.adminPort}`;
    for (const key of keys.slice(-2)) {
      const body = new URLSearchParams({ key });
      const created = await fetch(`${admin}/consumers/visible-consumer-0/key-auth`, { method: 'POST', body });
      expect(created.status).toBe(201);
      const shown = await fetch(`${admin}/consumers/visible-consumer-0/key-auth/${key}`);
      expect(await shown.json()).toMatchObject({ key });
    }
    await cluster.apply(secret('key-3', keys[4] ?? ''));
    await cluster.kubectl(['delete', 'secret', 'key-5']);
    const ask = askedOf(latchkey);
    await untilStatus(ask('/guarded', keys[5]), 401);
    await untilStatus(ask('/guarded', keys.at(-1)), 200);

    const text = await heapText(latchkey, snapshots);
    // The snapshot is one of the process that holds these consumers.
    expect(text).toContain('visible-consumer-97');
    expect(text).toContain('visible-secret-0');
    expect(text).not.toContain('visible-secret-1');
    const values = [...keys, ...others.map(({ stringData }) => stringData.value)];
    const forms = (key: string) => [key, Buffer.from(key).toString('base64').replace(/=+$/, '')];
    expect(values.filter((key) => forms(key).some((form) => text.includes(form)))).toEqual([]);
    expect(keys.filter((key) => latchkey.output().includes(key))).toEqual([]);
  });
});
