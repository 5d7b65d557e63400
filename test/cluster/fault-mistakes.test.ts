import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeCluster } from '../support/cluster-context.ts';
import { consumer, inDefault, ingress, keyAuth, openAndGuarded, secret } from '../support/cluster-objects.ts';
import type { LatchkeyProcess } from '../support/latchkey-process.ts';
import { askedOf, startServedCluster, type ServedCluster } from '../support/served-cluster.ts';
import { untilFound } from '../support/until-found.ts';
import { untilStatus } from '../support/until-status.ts';

/** What `kubectl describe` says, wrapped as it may be, in one line. */
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');

describeCluster('kubectl describe alone tells why a key does not work', () => {
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

  /** Resolves when the description holds all of this. */
  const described = async (kind: string, name: string, ...wanted: readonly string[]): Promise<void> => {
    let text = '';
    await untilFound('the description tells', async () => {
      text = oneLine(await cluster.kubectl(['describe', kind, name]));
      return wanted.every((part) => text.includes(part)) || undefined;
    }).catch(() => expect(text).toContain(wanted.find((part) => !text.includes(part))));
  };

  test('the Secret lacks its label', async () => {
    const unlabelled = { ...secret('unlabelled', 'k1'), metadata: inDefault('unlabelled') };
    await cluster.apply(unlabelled, consumer('label', ['unlabelled']));
    const message =
      'credentials[0]: Secret default/unlabelled: metadata.labels["konghq.com/credential"]: is missing; supported are';
    const reason = 'UnsupportedCredentialType';
    await described('kongconsumer', 'label', `Message: ${message}`, 'Status: False', `Reason: ${reason}`);
    await described('kongconsumer', 'label', `Warning ${reason}`);
    await untilStatus(ask('/guarded', 'k1'), 401, 0);
  });

  test('the label names a type that there is not', async () => {
    const mistyped = secret('mistyped', 'k2');
    const labels = { 'konghq.com/credential': 'key_auth' };
    await cluster.apply({ ...mistyped, metadata: inDefault('mistyped', { labels }) }, consumer('type', ['mistyped']));
    await described('kongconsumer', 'type', 'Reason: UnsupportedCredentialType', 'key_auth', 'such as key-auth');
  });

  test('the Secret is not there', async () => {
    await cluster.apply(consumer('missing', ['nowhere', 'alice-key-2']));
    const first = '[1/2] credentials[0]: Secret default/nowhere does not exist';
    await described(
      'kongconsumer',
      'missing',
      first,
      '[2/2] credentials[1]: Secret default/alice-key-2',
      'Create the Secret',
    );
  });

  test('the Secret has no field `key`', async () => {
    const { stringData: _, ...rest } = secret('keyless', '');
    await cluster.apply({ ...rest, stringData: { apikey: 'k3' } }, consumer('keyless', ['keyless']));
    await described('kongconsumer', 'keyless', 'Reason: InvalidCredential', 'Secret default/keyless', 'key');
  });

  test('the key is in use by an older consumer', async () => {
    await untilFound('a second later', async () => ((await later()) ? true : undefined));
    await cluster.apply(secret('same-key', 'alices-key'), consumer('younger', ['same-key']));
    const message = 'credentials[0]: the key of Secret default/same-key is already held by Secret default/alice-key';
    await described('kongconsumer', 'younger', 'Reason: Conflict', message, 'which is older');
    await untilStatus(ask('/guarded', 'alices-key'), 200, 0);
  });

  test('the consumer is of another class, or of none', async () => {
    const { annotations: _, ...bare } = consumer('classless', []).metadata as { annotations?: object };
    const other = consumer('elsewhere', ['class-key']);
    const metadata = { ...other.metadata, annotations: { 'kubernetes.io/ingress.class': 'nginx' } };
    await cluster.apply(secret('class-key', 'k4'), { ...other, metadata });
    await cluster.apply({ ...consumer('classless', ['class-key']), metadata: bare });
    const untold = ['Message: Waiting for controller', 'Status: Unknown'];
    await described('kongconsumer', 'elsewhere', 'kubernetes.io/ingress.class: nginx', ...untold);
    await described('kongconsumer', 'classless', 'Annotations: <none>', ...untold);
  });

  test('the plugin is misspelt on the Ingress', async () => {
    await cluster.apply(ingress('misspelt', '/misspelt', { 'konghq.com/plugins': 'aut' }));
    const message = 'there is no KongPlugin default/aut and no KongClusterPlugin aut – route answers 503';
    await described('ingress', 'misspelt', 'Warning PluginNotFound', message, 'or correct the name');
    await untilStatus(ask('/misspelt', 'alices-key'), 503);
  });

  test('a field of the plugin is misspelt', async () => {
    await cluster.apply({ ...keyAuth('typo'), config: { key_name: ['x'] } });
    await cluster.apply(ingress('typo', '/typo', { 'konghq.com/plugins': 'typo' }));
    await described('kongplugin', 'typo', 'Reason: InvalidConfig', 'config.key_name', 'Warning InvalidConfig');
    await described('ingress', 'typo', 'Warning PluginNotInForce', 'KongPlugin default/typo is not in force');
  });

  /** Creation times have seconds: whether the next object is younger than those of the start. */
  const later = async (): Promise<boolean> => {
    const created = await cluster.kubectl([
      'get',
      'secret',
      'alice-key',
      '-o',
      'jsonpath={.metadata.creationTimestamp}',
    ]);
    return Date.now() - Date.parse(created) > 1000;
  };
});
