import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { send } from '../support/client.ts';
import { describeCluster } from '../support/cluster-context.ts';
import { ingress, keyAuth, openAndGuarded } from '../support/cluster-objects.ts';
import { definitions } from '../support/custom-resources.ts';
import type { LatchkeyProcess } from '../support/latchkey-process.ts';
import { streamRequests } from '../support/request-stream.ts';
import {
  askedOf,
  leaseRenewals,
  releaseNamespace,
  startServedCluster,
  type ServedCluster,
} from '../support/served-cluster.ts';
import { untilFound, untilReadiness } from '../support/until-found.ts';
import { untilStatus } from '../support/until-status.ts';

interface Definition {
  readonly kind: string;
  readonly spec: { readonly versions: readonly [{ readonly schema: unknown }] };
}

/** Our definition of KongPlugin as it might have been before anybody thought of a schema. */
async function laxDefinition(): Promise<object> {
  const strict = parse(await readFile(join(definitions, 'kongplugins.yaml'), 'utf8')) as Definition;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return { ...strict, spec: { ...strict.spec, versions: [{ ...strict.spec.versions[0], schema }] } };
}

const kinds = [
  'ingressclassparameterses',
  'kongplugins',
  'kongclusterplugins',
  'kongconsumers',
  'kongconsumergroups',
  'kongupstreampolicies',
];

describeCluster('CustomResourceDefinitions that come and go', () => {
  let cluster: ServedCluster;
  let latchkey: LatchkeyProcess;
  let ask: ReturnType<typeof askedOf>;

  beforeAll(async () => {
    cluster = await startServedCluster({ values: { crds: { install: false } } });
    latchkey = await cluster.start();
    ask = askedOf(latchkey);
  });
  afterAll(async () => cluster.stop());

  const install = async (): Promise<void> => {
    await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', definitions]);
    await cluster.kubectl(['wait', '--for=condition=Established', '-f', definitions, '--timeout=60s']);
  };
  /**
   * First waits until the API server can list each kind: a deletion that comes while it has just started fails once
   * (`storage is (re)initializing`), and then nothing takes it up again.
   */
  const uninstall = async (): Promise<void> => {
    await untilFound('all kinds can be listed', async () =>
      (await cluster.tryKubectl(['get', kinds.join(','), '--all-namespaces'])).code === 0 ? true : undefined,
    );
    await cluster.kubectl(['delete', '-f', definitions, '--timeout=60s']);
  };
  const linesWith = (text: string): string[] =>
    latchkey
      .output()
      .split('\n')
      .filter((line) => line.includes(text));

  /** What the metrics say of following a kind. */
  const watching = async (kind: string): Promise<Record<string, number>> => {
    const { body } = await send({ port: latchkey.statusPort, path: '/metrics' });
    const series = body.matchAll(/^latchkey_(watch_up|definition_installed)\{kind="([^"]+)"\} (\d)$/gm);
    return Object.fromEntries(
      [...series].flatMap(([, name, of, value]) => (of === kind ? [[name, Number(value)]] : [])),
    );
  };

  test('none at the start: said once a kind, and what needs none is served', async () => {
    const said = await untilReadiness(latchkey, { status: 200, text: /not installed/ });
    const missing = said.split('\n').filter((line) => line.includes('CustomResourceDefinition is not installed'));
    expect(missing.map((line) => line.split('.')[0])).toEqual(kinds);
    await cluster.apply(ingress('open', '/open'), ingress('guarded', '/guarded', { 'konghq.com/plugins': 'auth' }));
    await untilStatus(ask('/open'), 200);
    await untilStatus(ask('/guarded'), 503);
    expect(linesWith('kongplugins.configuration.konghq.com: its CustomResourceDefinition')).toHaveLength(1);
    // Nothing is wrong with watching it: no alert.
    expect(await watching('kongplugins.configuration.konghq.com')).toEqual({ definition_installed: 0 });
  });

  test('they are picked up when they are installed', async () => {
    await install();
    await cluster.apply(...openAndGuarded);
    await untilStatus(ask('/guarded'), 401);
    await untilStatus(ask('/guarded', 'alices-key'), 200);
    await untilReadiness(latchkey, { status: 200, text: /^ok$/ });
    await cluster.kubectl(['wait', '--for=condition=Programmed', 'kongplugin/auth', 'kongconsumer/alice']);
    expect(await watching('kongplugins.configuration.konghq.com')).toEqual({ definition_installed: 1, watch_up: 1 });
  });

  test('deleted and created again: nothing opens, nothing crashes, and all is as before when they are back', async () => {
    const open = streamRequests(ask('/open'));
    const guarded = streamRequests(ask('/guarded'));
    await uninstall();
    await untilStatus(ask('/guarded', 'alices-key'), 503);
    await untilReadiness(latchkey, { status: 200, text: /kongplugins[^\n]*not installed/ });
    await guarded.more(100);
    await install();
    await cluster.apply(...openAndGuarded);
    await untilStatus(ask('/guarded', 'alices-key'), 200);
    await untilReadiness(latchkey, { status: 200, text: /^ok$/ });
    expect(Object.keys(await open.stop())).toEqual(['200']);
    expect(Object.keys(await guarded.stop()).toSorted()).toEqual(['401', '503']);
    expect(latchkey.child.exitCode).toBeNull();
  }, 240_000);

  test('deleted while it was cut off: it is told of no deletion, finds that all are gone, and closes', async () => {
    latchkey.child.kill('SIGSTOP');
    try {
      await cluster.controlPlane.stopApiServer(); // its connections end, and it cannot make new ones
      await cluster.controlPlane.startApiServer();
      await uninstall();
    } finally {
      latchkey.child.kill('SIGCONT');
    }
    await untilStatus(ask('/guarded', 'alices-key'), 503);
    await untilStatus(ask('/open'), 200, 0);
    await untilReadiness(latchkey, { status: 200, text: /kongplugins[^\n]*not installed/ });
    await install();
    await cluster.apply(...openAndGuarded);
    await untilStatus(ask('/guarded', 'alices-key'), 200);
    await untilReadiness(latchkey, { status: 200, text: /^ok$/ });
  }, 240_000);

  test('a plugin that was stored before its schema was tightened: closed, told, and nothing spins', async () => {
    latchkey.child.kill('SIGSTOP'); // what it sees first shall be the strict schema
    await cluster.kubectl(['replace', '-f', '-'], JSON.stringify(await replaced()));
    const stored = [
      { ...keyAuth('stored'), disabled: 'perhaps' },
      { ...keyAuth('stored-enum'), protocols: ['carrier-pigeon'] },
    ];
    const pruned = { ...keyAuth('stored-field'), konfig: {} }; // the API server leaves out what a schema does not know
    const names = stored.map(({ metadata }) => metadata.name);
    await untilFound('the lax definition is in force', async () =>
      (
        await cluster.tryKubectl(
          ['apply', '-f', '-'],
          JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...stored, pruned] }),
        )
      ).code === 0
        ? true
        : undefined,
    );
    await install();
    latchkey.child.kill('SIGCONT');
    for (const name of [...names, 'stored-field'])
      await cluster.apply(ingress(name, `/${name}`, { 'konghq.com/plugins': name }));
    for (const name of names) await untilStatus(ask(`/${name}`, 'alices-key'), 503);
    for (const path of ['/guarded', '/stored-field']) await untilStatus(ask(path, 'alices-key'), 200);
    // The API server lets what it would refuse today stand, and takes a status for it; our writes come to an end.
    for (const name of names) {
      const reason = '--for=jsonpath={.status.conditions[0].reason}=InvalidObject';
      await cluster.kubectl(['wait', reason, `kongplugin/${name}`, '--timeout=60s']);
      await untilFound('an Event tells it', async () =>
        /Warning +InvalidObject/.test(await cluster.kubectl(['describe', 'kongplugin', name])) ? true : undefined,
      );
    }
    const versions = async () =>
      cluster.kubectl(['get', 'kongplugins', '-o', 'jsonpath={.items[*].metadata.resourceVersion}']);
    const [before, line] = [await versions(), latchkey.output().length];
    await leaseRenewals(cluster, releaseNamespace, 3);
    expect(await versions()).toBe(before);
    expect(latchkey.output().slice(line)).toBe('');
  }, 240_000);

  /** The lax definition over the one that is there. */
  async function replaced(): Promise<object> {
    const { metadata } = JSON.parse(
      await cluster.kubectl(['get', 'crd', 'kongplugins.configuration.konghq.com', '-o', 'json']),
    ) as { readonly metadata: object };
    return { ...(await laxDefinition()), metadata };
  }
});
