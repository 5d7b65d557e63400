import { installReferenceGrants } from '../support/custom-resources.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeCluster } from '../support/cluster-context.ts';
import { consumer, keyAuth, openAndGuarded } from '../support/cluster-objects.ts';
import { askedOf, releaseNamespace, startServedCluster, type ServedCluster } from '../support/served-cluster.ts';
import { untilReadiness } from '../support/until-found.ts';
import { statusOf, untilStatus } from '../support/until-status.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const role = 'clusterrole/latchkey-latchkey';
const user = `system:serviceaccount:${releaseNamespace}:latchkey`;

/** The API server's own words when the account may not read a resource. */
const refusalOf = (verb: string, resource: string, group: string): string =>
  `User "${user}" cannot ${verb} resource "${resource}" in API group "${group}" at the cluster scope`;

/** How often readiness is asked for to see that it stays as it is: for longer than the workers take to start. */
const looks = 500;

describeCluster('with a Role that lacks a verb', () => {
  let cluster: ServedCluster;
  /** The rules of the chart. */
  let rules: readonly Rule[];

  /** Every resource that is read, each with its group. */
  const read = () =>
    rules
      .filter(({ verbs }) => verbs.includes('watch'))
      .flatMap(({ apiGroups, resources }) => resources.map((resource) => ({ group: apiGroups[0] ?? '', resource })));

  const grant = async (granted: readonly Rule[]): Promise<void> => {
    const patch = JSON.stringify({ rules: granted });
    await cluster.kubectl(['patch', role, '--type=merge', '-p', patch]);
  };
  /** The chart's rules without a verb on a resource, or on all. */
  const without = (verb: string, resource?: string): Rule[] =>
    rules.flatMap(({ apiGroups, resources, verbs }) => {
      const hit = resources.filter((name) => resource === undefined || name === resource);
      const rest = resources.filter((name) => !hit.includes(name));
      return [
        { apiGroups, resources: hit, verbs: verbs.filter((name) => name !== verb) },
        { apiGroups, resources: rest, verbs },
      ].filter((rule) => rule.resources.length > 0 && rule.verbs.length > 0);
    });

  beforeAll(async () => {
    cluster = await startServedCluster();
    await installReferenceGrants(cluster.controlPlane.access); // without it nobody gets as far as to be refused
    ({ rules } = JSON.parse(await cluster.kubectl(['get', role, '-o', 'json'])) as { rules: readonly Rule[] });
    await cluster.apply(...openAndGuarded);
  });
  afterAll(async () => cluster.stop());

  test('without the list of plugins it never serves what they would guard, and goes on once it may', async () => {
    await grant(without('list', 'kongplugins'));
    const latchkey = await cluster.launch();
    const said = await untilReadiness(latchkey, { status: 503, text: /^starting\nkongplugins[^\n]*$/ });
    expect(said).toContain('the ServiceAccount lacks a permission');
    expect(said).toContain(refusalOf('list', 'kongplugins', 'configuration.konghq.com'));
    for (let look = 0; look < looks; look += 1) await untilReadiness(latchkey, { status: 503, text: /kongplugins/ }, 0);
    await expect(statusOf(askedOf(latchkey)('/guarded'))).rejects.toThrow('ECONNREFUSED');

    await grant(rules);
    await untilReadiness(latchkey, { status: 200, text: /^ok$/ });
    await untilStatus(askedOf(latchkey)('/guarded'), 401);
    await untilStatus(askedOf(latchkey)('/guarded', 'alices-key'), 200);
    await latchkey.stop();
  });

  test.for(['list', 'watch'])('which resources it may not %s is said in the API server’s words', async (verb) => {
    await grant(without(verb));
    const latchkey = await cluster.launch();
    for (const { group, resource } of read()) {
      const text = new RegExp(`cannot ${verb} resource "${resource}"`);
      expect(await untilReadiness(latchkey, { status: 503, text })).toContain(refusalOf(verb, resource, group));
      expect(latchkey.output()).toContain(`cannot ${verb} resource \\"${resource}\\"`);
    }
    await grant(rules);
    await untilReadiness(latchkey, { status: 200, text: /^ok$/ });
    await latchkey.stop();
  });

  test('what it may not write is said once, costs nothing else, and is written when it may', async () => {
    const denied = new Set(['kongplugins/status', 'kongconsumers/status', 'events']);
    await grant(
      rules
        .map((rule) => ({ ...rule, resources: rule.resources.filter((name) => !denied.has(name)) }))
        .filter((rule) => rule.resources.length > 0),
    );
    await cluster.apply(keyAuth('late'), consumer('bob', ['nowhere']));
    const latchkey = await cluster.start();
    for (const [verb, resource] of [
      ['patch', 'kongplugins/status'],
      ['patch', 'kongconsumers/status'],
      ['create', 'events'],
    ]) {
      await latchkey.printed(`may not ${verb} ${resource}: grant the verb ${verb} on ${resource}`);
    }
    await untilStatus(askedOf(latchkey)('/guarded', 'alices-key'), 200);

    await grant(rules);
    const wait = ['wait', '--timeout=75s'];
    await Promise.all([
      cluster.kubectl([...wait, '--for=condition=Programmed', 'kongplugin/late', 'kongconsumer/alice']),
      cluster.kubectl([...wait, '--for=jsonpath={.status.conditions[0].reason}=SecretNotFound', 'kongconsumer/bob']),
      cluster.kubectl([...wait, '--for=create', '--field-selector=reason=SecretNotFound', 'events']),
    ]);
    expect(latchkey.output().match(/may not patch kongconsumers\/status/g)).toHaveLength(1);
  }, 180_000);
});
