/**
 * The folders of test/cases once more, with their objects on a real API server: what it fills in, prunes and
 * encodes must not change what they mean. What it refuses never gets to us; a case with such an object ends
 * there, and its golden must tell of the object as broken.
 *
 *   case ──▶ API server ──▶ list-watch ──▶ pipeline ──▶ the same requests, the same verdicts
 *
 * An API server stamps every object with a uid and the time of day. Both are put back to what the case says, so
 * that ages and ids are those that it speaks of.
 */
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refKey, formatRef, type Ref } from '#resources/ref.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { startPipeline, type Pipeline } from '#pipeline.ts';
import { connectKubernetes } from '#source/kubernetes-api.ts';
import { createKubernetesWriter } from '#source/kubernetes-write.ts';
import { kubernetesSource } from '#source/kubernetes.ts';
import type { Source } from '#source/source.ts';
import {
  brokenInGolden,
  otherOnApiServer,
  caseFolders,
  caseSettings,
  caseStates,
  expectRequests,
  verdictsFile,
  verdictText,
} from '../support/case-folders.ts';
import { commandsFor, describeCluster } from '../support/cluster-context.ts';
import { startControlPlane } from '../support/control-plane.ts';
import { installDefinitions, installReferenceGrants, objectApi } from '../support/custom-resources.ts';
import { refOfAny } from '../support/object-source.ts';
import { startPods } from '../support/pods.ts';
import { silent } from '../support/silent.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';
import { proxySettings } from '../support/proxy-settings.ts';

/** What was started, the last first. */
const ends = new AsyncDisposableStack();
let upstream: Awaited<ReturnType<typeof startUpstream>>;
let api: ReturnType<typeof objectApi>;
let pipeline: Pipeline;

/** Called whenever something was delivered. */
const checks = new Set<() => void>();
const deliveries = (check: () => void) => {
  checks.add(check);
  return () => checks.delete(check);
};

/** The objects of the case that runs, by key. */
const written = new Map<string, KubernetesObject>();
/** Those of them that the API server has, with what it said last. */
const stored = new Map<string, KubernetesObject>();

/** An object with the stamps that the case gave it. */
function asWritten(ref: Ref, object: KubernetesObject): KubernetesObject {
  const { uid: _, creationTimestamp: __, ...metadata } = object.metadata;
  const { uid, creationTimestamp } = written.get(refKey(ref))?.metadata ?? {};
  const stamps = {
    ...(uid === undefined ? {} : { uid }),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
  };
  return { ...object, metadata: { ...metadata, ...stamps } };
}

/** A source that delivers the objects of the case alone: an API server has some of its own. */
function casesOnly(source: Source): Source {
  return {
    ...source,
    start: async (listener) =>
      source.start({
        ...listener,
        changes(changes) {
          const ours = changes.filter(({ ref }) => written.has(refKey(ref)) || stored.has(refKey(ref)));
          listener.changes(
            ours.map((change) =>
              change.type === 'put' ? { ...change, object: asWritten(change.ref, change.object) } : change,
            ),
          );
          for (const check of checks) check();
        },
      }),
  };
}

/** Whether an API server takes an object in; it has then. */
async function put(object: KubernetesObject): Promise<boolean> {
  const key = refKey(refOfAny(object));
  written.set(key, object);
  const { uid: _, creationTimestamp: __, generation: ___, ...metadata } = object.metadata;
  const before = stored.get(key);
  const answer =
    before === undefined
      ? await api.create({ ...object, metadata })
      : await api.replace({
          ...object,
          metadata: { ...metadata, resourceVersion: before.metadata.resourceVersion ?? '' },
        });
  if (answer.status >= 300) {
    expect([answer.status, answer.object.message]).toEqual([expect.toBeOneOf([400, 422]), expect.any(String)]);
    written.delete(key);
    return false;
  }
  stored.set(key, answer.object);
  await until({
    what: `${key} is delivered`,
    subscribe: deliveries,
    holds: () =>
      pipeline.store.find(refOfAny(object))?.object.metadata.resourceVersion === answer.object.metadata.resourceVersion,
  });
  return true;
}

async function remove(key: string, object: KubernetesObject): Promise<void> {
  expect([key, (await api.remove(object)).status]).toEqual([key, 200]);
  await until({
    what: `${key} is gone`,
    subscribe: deliveries,
    holds: () => pipeline.store.find(refOfAny(object)) === undefined,
  });
  written.delete(key);
  stored.delete(key);
}

/** Makes the API server have these objects; gives those that it refused. */
async function become(objects: readonly KubernetesObject[]): Promise<KubernetesObject[]> {
  const wanted = new Set(objects.map((object) => refKey(refOfAny(object))));
  for (const [key, object] of stored) if (!wanted.has(key)) await remove(key, object);
  const refused: KubernetesObject[] = [];
  for (const object of objects) {
    const isSame = JSON.stringify(written.get(refKey(refOfAny(object)))) === JSON.stringify(object);
    if (!isSame && !(await put(object))) refused.push(object);
  }
  await pipeline.settled();
  return refused;
}

describeCluster('on a real API server', () => {
  beforeAll(async () => {
    const controlPlane = await startControlPlane({ withControllerManager: false });
    ends.defer(async () => controlPlane.stop());
    await installDefinitions(controlPlane.access);
    await installReferenceGrants(controlPlane.access);
    const pods = await startPods(1);
    ends.defer(async () => pods.close());
    upstream = await startUpstream(pods.gateway, '0.0.0.0'); // ExternalName cases say localhost
    ends.defer(async () => upstream.close());
    api = objectApi(controlPlane.access);
    ends.defer(async () => api.close());
    const { kubectl } = commandsFor(controlPlane.access);
    for (const namespace of namespacesOfCases()) await kubectl(['create', 'namespace', namespace]);
    const connection = await connectKubernetes(controlPlane.access.kubeconfig);
    pipeline = await startPipeline({
      openSource: async () =>
        casesOnly(
          kubernetesSource({
            api: connection,
            namespaces: [],
            onHealth: () => undefined,
            // It reads again the Secrets that a plugin begins to name.
            writer: (observed) => createKubernetesWriter({ api: connection, fieldManager: 'test', ...observed }),
          }),
        ),
      ...(await caseSettings()),
      ...(await silent()),
      proxy: proxySettings(),
      version: '0.0.0-test',
    });
    ends.defer(async () => pipeline.stop(0));
  });

  afterAll(async () => ends.disposeAsync());

  describe.for(caseFolders)('%s', (folder) => {
    test.skipIf(otherOnApiServer(folder) !== undefined)(basename(folder), async () => {
      await become([]);
      for (const objects of caseStates(folder, { upstream })) {
        const refused = (await become(objects)).map((object) => formatRef(refOfAny(object)));
        expect(brokenInGolden(folder)).toEqual(expect.arrayContaining(refused));
        if (refused.length > 0) return;
      }
      await expectRequests(folder, { port: pipeline.port, httpsPort: pipeline.httpsPort, upstream });
      await expect(verdictText(pipeline.reporter.all())).toMatchFileSnapshot(verdictsFile(folder));
    });
  });
});

/** Every namespace that an object of some case is in. */
function namespacesOfCases(): string[] {
  const objects = caseFolders.flatMap((folder) => caseStates(folder, { upstream }).flat());
  const names = new Set(objects.map((object) => refOfAny(object).namespace));
  return [...names].filter((name) => name !== '' && name !== 'default');
}
