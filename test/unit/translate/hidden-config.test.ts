/** What a plugin takes from a Secret reaches its handler and shows nowhere else. */
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { createServedTable } from '#gateway/served-table.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { digestSecretBytes, makeDigest } from '#table/digest.ts';
import { createTable } from '#table/table.ts';
import { createEngine } from '#translate/engine.ts';
import { sealed, sealingWith } from '#translate/sealing.ts';
import { refOfAny } from '../../support/object-source.ts';

const objects: readonly KubernetesObject[] = [
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'default' },
    stringData: { message: '"hunter2"' },
  },
  {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongPlugin',
    metadata: { name: 'p', namespace: 'default' },
    plugin: 'request-termination',
    config: { status_code: 418 },
    configPatches: [{ path: '/message', valueFrom: { secretKeyRef: { name: 's', key: 'message' } } }],
  },
];

test('a value of a Secret prints nowhere and is what the handler reads', () => {
  const engine = createEngine({ ingressClass: 'kong' });
  const sealing = sealingWith(makeDigest(Buffer.alloc(digestSecretBytes)), () => true);
  const output = engine.apply(objects.map((object) => sealed({ type: 'put', ref: refOfAny(object), object }, sealing)));
  const table = createTable();
  table.apply(output);
  const known = [
    output,
    engine.entries(),
    engine.verdicts(),
    table.snapshot(),
    engine.store.find(refOfAny(objects[0] as KubernetesObject)),
  ];
  expect(JSON.stringify(known)).not.toContain('hunter2');
  expect(inspect(known, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain('hunter2');

  const served = createServedTable();
  served.apply(table.snapshot());
  expect(served.plugin('plugin:KongPlugin/default/p')?.config).toMatchObject({ status_code: 418, message: 'hunter2' });
});
