/** Any object becomes any other by an edit, as the real API server merges it, whoever owns which part of it. */
import { resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { extractOwned } from '#source/apply-patch.ts';
import { connectKubernetes, type KubernetesConnection } from '#source/kubernetes-api.ts';
import { createKubernetesWriter } from '#source/kubernetes-write.ts';
import type { Source } from '#source/source.ts';
import { commandsFor, describeCluster } from '../support/cluster-context.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts';

const crds = resolve(import.meta.dirname, '../../crds');
const path = '/apis/configuration.konghq.com/v1/namespaces/default/kongplugins/guard';
const ref = { kind: 'KongPlugin', namespace: 'default', name: 'guard' };

type Config = Readonly<Record<string, unknown>>;

const scalar = fc.oneof(fc.integer(), fc.constantFrom('x', '<&>', '"'), fc.boolean());
const { config } = fc.letrec<{ config: Config }>((tie) => ({
  config: fc.dictionary(
    fc.constantFrom('a', 'b', 'c', 'a/b~c'),
    fc.oneof({ maxDepth: 3 }, scalar, fc.array(scalar, { maxLength: 2 }), tie('config')),
    { maxKeys: 3 },
  ),
}));

describeCluster('edits that the API server merges', () => {
  let controlPlane: ControlPlane;
  let api: KubernetesConnection;
  let writer: Pick<Source, 'write' | 'read'>;

  beforeAll(async () => {
    controlPlane = await startControlPlane({ withControllerManager: false });
    const { kubectl } = commandsFor(controlPlane.access);
    await kubectl(['apply', '--server-side', '--filename', crds]);
    await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
    api = await connectKubernetes(controlPlane.access.kubeconfig);
    writer = createKubernetesWriter({ api, fieldManager: 'us', untilObserved: async () => undefined });
  });
  afterAll(async () => {
    await api.close();
    await controlPlane.stop();
  });

  const get = async () => api.request<KubernetesObject>({ method: 'GET', path });
  const remove = async () => api.request({ method: 'DELETE', path }).catch(() => undefined);
  /** Server-side apply by somebody. */
  const apply = async (fieldManager: string, stated: Config) => {
    const { apiVersion, kind } = { apiVersion: 'configuration.konghq.com/v1', kind: 'KongPlugin' };
    await api.request({
      method: 'PATCH',
      path,
      query: { fieldManager, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion, kind, metadata: { name: 'guard' }, plugin: 'key-auth', config: stated },
    });
  };
  const write = async (wanted: Config) => {
    await writer.write([{ ref, apply: (now) => ({ ...(now as KubernetesObject), config: wanted }) }]);
    return get();
  };

  test('any config becomes any other', async () => {
    await fc.assert(
      fc.asyncProperty(config, fc.array(config, { minLength: 1, maxLength: 3 }), async (theirs, wanted) => {
        await remove();
        await apply('them', theirs);
        for (const one of [...wanted, theirs]) expect((await write(one))['config']).toEqual(one);
      }),
      { numRuns: 60 },
    );
  });

  test('what was applied is what is extracted, whatever others applied', async () => {
    await fc.assert(
      fc.asyncProperty(config, config, async (theirs, ours) => {
        await remove();
        await apply('them', theirs);
        await apply('us', ours);
        expect(extractOwned(await get(), 'us')).toEqual({ plugin: 'key-auth', config: ours });
      }),
      { numRuns: 60 },
    );
  });

  test('what is not changed does not become ours', async () => {
    await fc.assert(
      fc.asyncProperty(config, scalar, async (theirs, value) => {
        await remove();
        await apply('them', theirs);
        const written = await write({ ...theirs, ours: value });
        expect(extractOwned(written, 'us')).toEqual({ config: { ours: value } });
        expect(extractOwned(written, 'them')).toEqual({ plugin: 'key-auth', config: theirs });
      }),
      { numRuns: 40 },
    );
  });
});
