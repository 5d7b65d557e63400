import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { describeCluster } from '../support/cluster-context.ts';
import { consumer, ingress, openAndGuarded, secret, service } from '../support/cluster-objects.ts';
import { objectApi } from '../support/custom-resources.ts';
import type { LatchkeyProcess } from '../support/latchkey-process.ts';
import { streamRequests } from '../support/request-stream.ts';
import { askedOf, releaseNamespace, startServedCluster, type ServedCluster } from '../support/served-cluster.ts';
import { printedSince, untilFound, untilReadiness } from '../support/until-found.ts';
import { untilStatus } from '../support/until-status.ts';

/** How long the API server stays away, with requests coming in. */
const awayMs = 3000;

describeCluster('when the API server is in trouble', () => {
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

  /** Requests all the while, and none may be answered otherwise than before. */
  const serving = async (during: () => Promise<void>): Promise<void> => {
    const streams = [ask('/open'), ask('/guarded', 'alices-key'), ask('/guarded', 'nobodys-key')].map(streamRequests);
    try {
      await during();
    } finally {
      const tallies = await Promise.all(streams.map(async (stream) => stream.stop()));
      expect(tallies.map(Object.keys)).toEqual([['200'], ['200'], ['401']]);
    }
  };

  /** Objects that come and go while Latchkey does not look; every test has its own. */
  const before = async (name: string): Promise<void> => {
    const objects = [ingress(`${name}-old`, `/${name}-old`), secret(`${name}-key`, `${name}-key`)];
    await cluster.apply(...objects, consumer(name, [`${name}-key`]));
    await untilStatus(ask('/guarded', `${name}-key`), 200);
    await untilStatus(ask(`/${name}-old`), 200);
  };
  const changeUnseen = async (name: string): Promise<void> => {
    await cluster.kubectl(['delete', `ingress/${name}-old`, `secret/${name}-key`]);
    await cluster.apply(ingress(`${name}-new`, `/${name}-new`), secret(`${name}-key2`, `${name}-key2`));
    await cluster.apply(consumer(name, [`${name}-key2`]));
  };
  const after = async (name: string): Promise<void> => {
    await untilStatus(ask(`/${name}-new`), 200);
    await untilStatus(ask(`/${name}-old`), 404);
    await untilStatus(ask('/guarded', `${name}-key2`), 200);
    await untilStatus(ask('/guarded', `${name}-key`), 401);
  };

  test('killed and away for a while: no request fails, and what changed meanwhile arrives', async () => {
    await before('away');
    await serving(async () => {
      const printed = printedSince(latchkey);
      await cluster.controlPlane.stopApiServer();
      await printed.says(/interrupted/);
      await streamRequests(ask('/open')).lasting(awayMs);
      expect(await untilReadiness(latchkey, { status: 200, text: /interrupted/ })).toMatch(/^ok\n/);
      await cluster.controlPlane.startApiServer();
      await changeUnseen('away');
      await after('away');
    });
    await untilReadiness(latchkey, { status: 200, text: /^ok$/ });
  }, 240_000);

  test('cut off until its place in history is compacted away: deletions are found', async () => {
    await before('gone');
    const { metadata } = JSON.parse(await cluster.kubectl(['get', '--raw', '/api/v1/secrets?limit=1'])) as {
      metadata: { resourceVersion: string };
    };
    latchkey.child.kill('SIGSTOP');
    try {
      await cluster.controlPlane.stopApiServer(); // its connections end, and it cannot make new ones
      await cluster.controlPlane.startApiServer();
      await changeUnseen('gone');
      await cluster.controlPlane.compact();
      await cluster.controlPlane.stopApiServer(); // and with it its memory of what was before
      await cluster.controlPlane.startApiServer();
      const watch = `/api/v1/secrets?watch=true&timeoutSeconds=1&resourceVersion=${metadata.resourceVersion}`;
      const refusal = await cluster.tryKubectl(['get', '--raw', watch]);
      expect(`${refusal.stdout}${refusal.stderr}`).toMatch(/too old resource version|Expired|410/);
    } finally {
      latchkey.child.kill('SIGCONT');
    }
    await after('gone');
    await untilReadiness(latchkey, { status: 200, text: /^ok$/ });
  }, 240_000);

  test('a token that is refused: it says so, and goes on with the next one', async () => {
    await before('token');
    await serving(async () => {
      const printed = printedSince(latchkey);
      const account = ['serviceaccount', 'latchkey', '-n', releaseNamespace];
      const object = await cluster.kubectl(['get', ...account, '-o', 'json']);
      await cluster.kubectl(['delete', ...account]);
      await cluster.controlPlane.stopApiServer();
      await cluster.controlPlane.startApiServer();
      const { apiVersion, kind, metadata } = JSON.parse(object) as Record<string, Record<string, unknown>>;
      const { name, namespace } = metadata ?? {};
      await cluster.apply({ apiVersion, kind, metadata: { name, namespace } });
      await printed.says(/cannot get or renew the Lease: Unauthorized/);
      await untilReadiness(latchkey, { status: 200, text: /kongplugins[^\n]*: interrupted: Unauthorized/ });
      await changeUnseen('token');
      await cluster.installed.rotateToken();
      await after('token');
    });
    await untilReadiness(latchkey, { status: 200, text: /^ok$/ });
  }, 240_000);

  describe('429 from API priority and fairness', () => {
    // Even a level of no seats lets one request run at a time; but none leaves a queue, and here one fills it.
    const limited = {
      nominalConcurrencyShares: 0,
      lendablePercent: 0,
      borrowingLimitPercent: 0,
      limitResponse: { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit: 1 } },
    };
    const all = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true };
    const account = { kind: 'ServiceAccount', serviceAccount: { name: 'latchkey', namespace: releaseNamespace } };
    const fullQueue = [
      {
        apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
        kind: 'PriorityLevelConfiguration',
        metadata: { name: 'nothing' },
        spec: { type: 'Limited', limited },
      },
      {
        apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
        kind: 'FlowSchema',
        metadata: { name: 'latchkey-nothing' },
        spec: {
          priorityLevelConfiguration: { name: 'nothing' },
          matchingPrecedence: 2, // 1 is for the schema `exempt` alone
          rules: [{ subjects: [account], resourceRules: [all] }],
        },
      },
    ];

    /** Keeps a request of the account waiting in its queue; gives how to end that. */
    const fillQueue = async (): Promise<() => Promise<void>> => {
      const token = (await cluster.kubectl(['create', 'token', 'latchkey', '-n', releaseNamespace])).trim();
      const filler = objectApi({ ...cluster.controlPlane.access, token });
      let isEnding = false;
      const filling = (async () => {
        while (!isEnding) await filler.read(service as KubernetesObject).catch(() => undefined); // the refusal is no JSON
      })();
      return async () => {
        isEnding = true;
        await filling;
        await filler.close();
      };
    };

    test('it waits and says so, serves meanwhile, and recovers', async () => {
      await before('queue');
      await serving(async () => {
        const printed = printedSince(latchkey);
        await cluster.apply(...fullQueue);
        const stopFilling = await fillQueue();
        await printed.says(/cannot get or renew the Lease: [^"]*[Tt]oo many requests/);

        // One that starts has nothing to serve yet, and lets nothing through before it has.
        const second = await cluster.launch({ pod: 'latchkey-1' });
        await untilReadiness(second, { status: 503, text: /interrupted: [^\n]*[Tt]oo many requests/ });

        await cluster.kubectl(['delete', 'flowschema/latchkey-nothing', 'prioritylevelconfiguration/nothing']);
        await stopFilling();
        await untilReadiness(second, { status: 200, text: /^ok$/ });
        await untilStatus(askedOf(second)('/guarded', 'alices-key'), 200);
        await changeUnseen('queue');
        await after('queue');
      });
      const lease = async () => cluster.kubectl(['get', 'lease', '-n', releaseNamespace, '-o', 'json']);
      const first = await lease();
      await untilFound('the Lease is renewed', async () => ((await lease()) === first ? undefined : true));
    }, 240_000);
  });
});
