import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeCluster } from '../support/cluster-context.ts';
import { inDefault, ingress, openAndGuarded, service, slice } from '../support/cluster-objects.ts';
import type { LatchkeyProcess } from '../support/latchkey-process.ts';
import { streamRequests } from '../support/request-stream.ts';
import { askedOf, startServedCluster, type ServedCluster } from '../support/served-cluster.ts';
import { untilStatus } from '../support/until-status.ts';

/** As the public Gateway API benchmark does it. */
const edits = 20;

describeCluster('routes that come and change under load', () => {
  let cluster: ServedCluster;
  let latchkey: LatchkeyProcess;
  let ask: ReturnType<typeof askedOf>;

  beforeAll(async () => {
    cluster = await startServedCluster();
    await cluster.apply(...openAndGuarded);
    latchkey = await cluster.start();
    ask = askedOf(latchkey);
    await untilStatus(ask('/guarded', 'alices-key'), 200);
  });
  afterAll(async () => cluster.stop());

  /** Every status on the way to 200, from before the objects are there. */
  const onTheWay = async (path: string, objects: readonly object[]): Promise<number[]> => {
    await untilStatus(ask(path), 404);
    const [seen] = await Promise.all([untilStatus(ask(path), 200), cluster.apply(...objects)]);
    return seen;
  };

  test('a new Ingress answers 404, then 200, and nothing between', async () => {
    for (const name of ['first', 'second', 'third'])
      expect(await onTheWay(`/${name}`, [ingress(name, `/${name}`)])).toEqual([404, 200]);
  });

  test('so does one that is applied together with its Service and endpoints', async () => {
    for (const name of ['fourth', 'fifth', 'sixth', 'seventh', 'eighth']) {
      const endpoints = slice(cluster.pods.addresses, cluster.pods.port);
      const labels = { 'kubernetes.io/service-name': name };
      const route = JSON.parse(JSON.stringify(ingress(name, `/${name}`)).replaceAll('"echo"', `"${name}"`)) as object;
      const objects = [
        { ...service, metadata: inDefault(name) },
        { ...endpoints, metadata: inDefault(name, { labels }) },
        route,
      ];
      expect(await onTheWay(`/${name}`, objects)).toEqual([404, 200]);
    }
  });

  test('an Ingress that is edited twenty times under load loses no request', async () => {
    const streams = [ask('/open'), ask('/open/deeper'), ask('/guarded', 'alices-key')].map(streamRequests);
    for (let edit = 1; edit <= edits; edit += 1) {
      const more = { 'konghq.com/strip-path': String(edit % 2 === 0) };
      const edited = ingress('open', '/open', more);
      edited.spec.rules.push(...ingress('open', `/edit-${edit}`).spec.rules);
      await cluster.apply(edited, ingress('guarded', '/guarded', { 'konghq.com/plugins': 'auth', ...more }));
      await untilStatus(ask(`/edit-${edit}`), 200);
    }
    for (const stream of streams) expect(Object.keys(await stream.stop())).toEqual(['200']);
  });
});
