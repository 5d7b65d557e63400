/** The Admin API as the chart ships it: off, on, and on with a right missing. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ingress, service, slice } from '../support/cluster-objects.ts';
import { commandsFor, describeCluster } from '../support/cluster-context.ts';
import { send } from '../support/client.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts';
import { installLatchkey } from '../support/installed-latchkey.ts';
import type { LatchkeyProcess } from '../support/latchkey-process.ts';
import { startPods, type Pods } from '../support/pods.ts';
import { untilStatus } from '../support/until-status.ts';

describeCluster('the Admin API of an installed Latchkey', () => {
  let controlPlane: ControlPlane;
  let commands: ReturnType<typeof commandsFor>;
  let pods: Pods;

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    commands = commandsFor(controlPlane.access);
    pods = await startPods(1);
  });
  afterAll(async () => {
    await pods.close();
    await controlPlane.stop();
  });

  const install = async (values: object) =>
    installLatchkey({ access: controlPlane.access, namespace: 'latchkey', values: { adminApi: values } });
  const call = async ({ adminPort: port }: LatchkeyProcess, line: string, form?: string) => {
    const [method = '', path = ''] = line.split(' ');
    const headers = form === undefined ? [] : [['Content-Type', 'application/x-www-form-urlencoded'] as const];
    const answer = await send({ port, method, path, headers, ...(form === undefined ? {} : { body: form }) });
    return { status: answer.status, body: answer.body === '' ? {} : (JSON.parse(answer.body) as object) };
  };
  const proxied = async ({ proxyPort: port }: LatchkeyProcess, key?: string): Promise<number> =>
    (await send({ port, path: '/web', headers: key === undefined ? [] : [['apikey', key]] })).status;

  test('reads and does not write by default', async () => {
    const latchkey = await (await install({})).start();
    expect(await call(latchkey, 'GET /consumers')).toMatchObject({ status: 200, body: { data: [] } });
    expect(await call(latchkey, 'POST /consumers', 'username=bob')).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('adminApi.writes: true') },
    });
    await latchkey.stop();
  });

  test('the tutorial is in force with each answer, its objects beside the release', async () => {
    const latchkey = await (await install({ writes: true })).start();
    await commands.apply(service, slice(pods.addresses, pods.port), ingress('web', '/web'));
    await untilStatus({ port: latchkey.proxyPort, path: '/web' }, 200);

    const plugin = await call(latchkey, 'POST /routes/web/plugins', 'name=key-auth');
    expect(plugin.status).toBe(201);
    expect(await proxied(latchkey)).toBe(401);

    expect((await call(latchkey, 'POST /consumers', 'username=bob')).status).toBe(201);
    const keys = ['a-key', 'another'];
    for (const key of keys) {
      expect((await call(latchkey, 'POST /consumers/bob/key-auth', `key=${key}`)).status).toBe(201);
      expect(await proxied(latchkey, key)).toBe(200);
    }
    expect((await call(latchkey, 'DELETE /consumers/bob/key-auth/a-key')).status).toBe(204);
    expect(await proxied(latchkey, 'a-key')).toBe(401);
    expect(await call(latchkey, 'GET /consumers/bob/key-auth')).toMatchObject({ body: { data: [{ key: 'another' }] } });

    const names = await commands.kubectl(['get', 'kongconsumers,secrets', '-n', 'latchkey', '-o', 'name']);
    expect(names).toContain('kongconsumer.configuration.konghq.com/bob');
    expect(names).toMatch(/secret\/bob-key-auth-\w{6}\n/);
    expect(latchkey.output()).not.toMatch(/a-key|another/);

    const { id } = plugin.body as { id: string };
    expect((await call(latchkey, `DELETE /routes/web/plugins/${id}`)).status).toBe(204);
    expect(await proxied(latchkey)).toBe(200);
    await latchkey.stop();
  });

  test('what it may not do is answered 403 with the verb and the resource', async () => {
    const installed = await install({ writes: true });
    const { metadata, ...role } = JSON.parse(
      await commands.kubectl(['get', 'clusterrole', '-l', 'app.kubernetes.io/instance=latchkey', '-o', 'json']),
    ).items[0] as { metadata: { name: string }; rules: { resources: string[]; verbs: string[] }[] };
    const rules = role.rules.map((rule) =>
      rule.resources.includes('kongconsumers')
        ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'delete') }
        : rule,
    );
    await commands.kubectl(['patch', 'clusterrole', metadata.name, '--type=merge', '-p', JSON.stringify({ rules })]);
    const latchkey = await installed.start();
    const what = 'kongconsumers.configuration.konghq.com';
    expect(await call(latchkey, 'DELETE /consumers/bob')).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining(`lacks the right to delete ${what}`) },
    });
    expect(await call(latchkey, 'GET /consumers/bob')).toMatchObject({ status: 200 });
    await latchkey.stop();
  });
});
