import { afterAll, beforeAll, expect, test } from 'vitest';
import { consumer, inDefault, ingress, keyAuth, secret, service, slice } from '../support/cluster-objects.ts';
import { commandsFor, describeCluster } from '../support/cluster-context.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts';
import { installLatchkey, type InstalledLatchkey } from '../support/installed-latchkey.ts';
import type { LatchkeyProcess } from '../support/latchkey-process.ts';
import { startPods, type Pods } from '../support/pods.ts';
import { send } from '../support/client.ts';
import { statusOf, untilStatus } from '../support/until-status.ts';

describeCluster('installed by its chart on a real API server', () => {
  let controlPlane: ControlPlane;
  let commands: ReturnType<typeof commandsFor>;
  let pods: Pods;
  let installed: InstalledLatchkey;
  let latchkey: LatchkeyProcess;

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    commands = commandsFor(controlPlane.access);
    pods = await startPods(2);
    installed = await installLatchkey({ access: controlPlane.access, namespace: 'latchkey' });
    latchkey = await installed.start();
  });
  afterAll(async () => {
    await latchkey.stop();
    await pods.close();
    await controlPlane.stop();
  });

  const ask = (path: string, key?: string) => ({
    port: latchkey.proxyPort,
    path,
    ...(key === undefined ? {} : { key }),
  });

  test('is ready, and reads every kind', async () => {
    const { status, body } = await send({ port: latchkey.statusPort, path: '/readyz' });
    expect([status, body]).toEqual([200, 'ok']);
  });

  test('key authentication, by kubectl apply alone', async () => {
    await commands.apply(service, slice(pods.addresses.slice(0, 1), pods.port), ingress('open', '/open'));
    await untilStatus(ask('/open'), 200);

    await commands.apply(keyAuth('auth'), ingress('guarded', '/guarded', { 'konghq.com/plugins': 'auth' }));
    await untilStatus(ask('/guarded'), 401);

    await commands.apply(secret('alice-key', 'alices-key'), consumer('alice', ['alice-key']));
    await untilStatus(ask('/guarded', 'alices-key'), 200);
    const answer = await send({ port: latchkey.proxyPort, path: '/guarded', headers: [['apikey', 'alices-key']] });
    expect(JSON.parse(answer.body)).toMatchObject({
      pod: pods.addresses[0],
      headers: { 'x-consumer-username': 'alice' },
    });

    await commands.kubectl(['delete', 'secret', 'alice-key']);
    await untilStatus(ask('/guarded', 'alices-key'), 401);
    await commands.kubectl(['delete', 'ingress', 'guarded']);
    await untilStatus(ask('/guarded', 'alices-key'), 404);
  });

  test('endpoints are followed', async () => {
    await commands.apply(service, slice(pods.addresses.slice(1), pods.port), ingress('open', '/open'));
    const podOf = async () =>
      (JSON.parse((await send({ port: latchkey.proxyPort, path: '/open' })).body) as { pod: string }).pod;
    while ((await podOf()) !== pods.addresses[1]);
    await commands.apply(slice([], pods.port));
    await untilStatus(ask('/open'), 503);
  });

  test('a route whose plugin is not there is closed, and opens when it comes', async () => {
    await commands.apply(
      slice(pods.addresses, pods.port),
      ingress('early', '/early', { 'konghq.com/plugins': 'late' }),
    );
    await untilStatus(ask('/early'), 503);
    await commands.apply(keyAuth('late'));
    await untilStatus(ask('/early'), 401);
  });

  test('a Secret that is labelled later is then a credential', async () => {
    await commands.apply(consumer('bob', ['bob-key']), {
      ...secret('bob-key', 'bobs-key'),
      metadata: inDefault('bob-key'),
    });
    await untilStatus(ask('/early'), 401);
    expect(await statusOf(ask('/early', 'bobs-key'))).toBe(401);
    await commands.kubectl(['label', 'secret', 'bob-key', 'konghq.com/credential=key-auth']);
    await untilStatus(ask('/early', 'bobs-key'), 200);
    await commands.kubectl(['label', 'secret', 'bob-key', 'konghq.com/credential-']);
    await untilStatus(ask('/early', 'bobs-key'), 401);
  });

  test('stops on SIGTERM with exit code 0', async () => {
    expect(await latchkey.stop()).toBe(0);
  });
});
