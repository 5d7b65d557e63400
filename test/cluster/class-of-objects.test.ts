import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { describeCluster } from '../support/cluster-context.ts';
import { consumer, ingress, keyAuth, secret } from '../support/cluster-objects.ts';
import type { LatchkeyProcess } from '../support/latchkey-process.ts';
import {
  askedOf,
  leaseRenewals,
  releaseNamespace,
  startServedCluster,
  type ServedCluster,
} from '../support/served-cluster.ts';
import { untilFound } from '../support/until-found.ts';
import { untilStatus } from '../support/until-status.ts';

const classAnnotation = 'kubernetes.io/ingress.class';
/** Renewals of a Lease, two seconds apart, in which nobody may write anything else. */
const idleRenewals = 3;

/** An object of the test, of another class or of none. */
const of = (object: { metadata: object; spec?: object }, annotations: object, spec: object = {}): KubernetesObject => {
  const { metadata, ...fields } = object;
  const merged = { ...fields, ...(fields.spec === undefined ? {} : { spec: { ...fields.spec, ...spec } }) };
  return { ...merged, metadata: { ...metadata, annotations } } as unknown as KubernetesObject;
};

const ingressOf = (name: string, annotations: object, ingressClassName?: string): KubernetesObject =>
  of(ingress(name, `/${name}`), annotations, { ingressClassName });

const clusterPlugin = (name: string, ingressClass: string): KubernetesObject => ({
  apiVersion: 'configuration.konghq.com/v1',
  kind: 'KongClusterPlugin',
  metadata: { name, annotations: { [classAnnotation]: ingressClass } },
  plugin: 'key-auth',
});

describeCluster('two controllers of different classes on one cluster', () => {
  let cluster: ServedCluster;
  let kong: LatchkeyProcess;
  let inner: LatchkeyProcess;
  let askKong: ReturnType<typeof askedOf>;
  let askInner: ReturnType<typeof askedOf>;

  beforeAll(async () => {
    cluster = await startServedCluster({
      values: { ingressController: { env: { publish_status_address: '192.0.2.1' } } },
    });
    const values = { ingressController: { ingressClass: 'inner', env: { publish_status_address: '192.0.2.2' } } };
    const second = await cluster.install('inner', values);
    kong = await cluster.start();
    inner = await second.start({ pod: 'inner-0' });
    askKong = askedOf(kong);
    askInner = askedOf(inner);
  });
  afterAll(async () => cluster.stop());

  const versions = async (objects: readonly KubernetesObject[]): Promise<unknown[]> =>
    Promise.all(objects.map(async (object) => (await cluster.api.read(object)).object.metadata.resourceVersion));

  const addressOf = async (name: string): Promise<string> =>
    cluster.kubectl(['get', 'ingress', name, '-o', 'jsonpath={.status.loadBalancer.ingress[*].ip}']);

  test('each serves its own Ingresses: by the field, by the annotation, which goes before it', async () => {
    await cluster.apply(
      ingressOf('field', {}, 'kong'),
      ingressOf('inner-field', {}, 'inner'),
      ingressOf('annotated', { [classAnnotation]: 'kong' }),
      ingressOf('inner-annotated', { [classAnnotation]: 'inner' }),
      ingressOf('both', {}, 'kong'),
      ingressOf('classless', {}),
    );
    for (const path of ['/field', '/annotated', '/both']) await untilStatus(askKong(path), 200);
    // The API server refuses to create an Ingress with both, but lets one come to that.
    await cluster.kubectl(['annotate', 'ingress', 'both', `${classAnnotation}=inner`]);
    for (const path of ['/inner-field', '/inner-annotated', '/both']) await untilStatus(askInner(path), 200);
    await untilStatus(askKong('/both'), 404);
    for (const path of ['/inner-field', '/inner-annotated', '/classless']) await untilStatus(askKong(path), 404, 0);
    for (const path of ['/field', '/annotated', '/classless']) await untilStatus(askInner(path), 404, 0);
    await untilFound('addresses', async () => ((await addressOf('field')) === '192.0.2.1' ? true : undefined));
    await untilFound('addresses', async () => ((await addressOf('both')) === '192.0.2.2' ? true : undefined));
    expect(await addressOf('classless')).toBe('');
  });

  test('the default class takes what has none, and lets go of it when it ceases to be the default', async () => {
    const none = [ingressOf('classless', {}), ingressOf('guarded', { 'konghq.com/plugins': 'auth' }, 'kong')];
    const carol = of(consumer('carol', ['carol-key']), {});
    await cluster.apply(...none, keyAuth('auth'), secret('carol-key', 'carols-key'), carol);
    await untilStatus(askKong('/guarded', 'carols-key'), 401);
    const mark = 'ingressclass.kubernetes.io/is-default-class';
    await cluster.kubectl(['annotate', 'ingressclass', 'kong', `${mark}=true`]);
    await untilStatus(askKong('/classless'), 200);
    await untilStatus(askKong('/guarded', 'carols-key'), 200);
    await cluster.kubectl(['annotate', 'ingressclass', 'kong', `${mark}-`]);
    await untilStatus(askKong('/classless'), 404);
    await untilStatus(askKong('/guarded', 'carols-key'), 401);
    await untilStatus(askInner('/classless'), 404, 0);
  });

  test('consumers and cluster plugins belong to the class that their annotation names', async () => {
    const dave = of(consumer('dave', ['dave-key']), { [classAnnotation]: 'inner' });
    const withPlugins = (name: string, plugin: string): KubernetesObject =>
      ingressOf(name, { 'konghq.com/plugins': plugin }, 'kong');
    await cluster.apply(
      secret('dave-key', 'daves-key'),
      dave,
      clusterPlugin('ours', 'kong'),
      clusterPlugin('theirs', 'inner'),
    );
    await cluster.apply(withPlugins('by-ours', 'ours'), withPlugins('by-theirs', 'theirs'));
    await cluster.apply(ingressOf('inner-guarded', { 'konghq.com/plugins': 'auth' }, 'inner'));
    await untilStatus(askKong('/by-ours'), 401);
    await untilStatus(askKong('/by-theirs'), 503); // as if there were none (kong-facts 4.4): closed
    await untilStatus(askInner('/inner-guarded', 'daves-key'), 200);
    await untilStatus(askKong('/by-ours', 'daves-key'), 401, 0);
    await cluster.kubectl(['wait', '--for=condition=Programmed', 'kongconsumer/dave', 'kongclusterplugin/theirs']);
  });

  test('nobody touches what is of the other class, nor fights over a plugin that both use', async () => {
    const shared = keyAuth('auth') as KubernetesObject;
    const ours = [ingressOf('field', {}, 'kong'), ingressOf('inner-annotated', { [classAnnotation]: 'inner' })];
    await cluster.apply(shared, ...ours, clusterPlugin('theirs', 'inner'));
    await cluster.kubectl(['wait', '--for=condition=Programmed', 'kongplugin/auth']);
    const foreign = [
      ingressOf('elsewhere', {}, 'nginx'),
      of(consumer('eve', ['nothing']), { [classAnnotation]: 'nginx' }),
      clusterPlugin('nowhere', 'nginx'),
    ];
    const created: unknown[] = [];
    for (const object of foreign) created.push((await cluster.api.create(object)).object.metadata.resourceVersion);
    const known = [shared, ...ours, clusterPlugin('theirs', 'inner')];
    for (const namespace of [releaseNamespace, 'inner']) await leaseRenewals(cluster, namespace, 1);
    const before = await versions(known);
    for (const namespace of [releaseNamespace, 'inner']) await leaseRenewals(cluster, namespace, idleRenewals);
    expect(await versions(known)).toEqual(before);
    expect(await versions(foreign)).toEqual(created);
    const events = await cluster.kubectl(['get', 'events', '-A', '-o', 'jsonpath={.items[*].involvedObject.name}']);
    for (const { metadata } of foreign) expect(events.split(' ')).not.toContain(metadata.name);
  });
});
