import { objectPath } from '#resources/api-path.ts';
import { connectKubernetes } from '#source/kubernetes-api.ts';
import { createKubernetesWriter } from '#source/kubernetes-write.ts';
import { kubernetesSource } from '#source/kubernetes.ts';
import type { SourceListener } from '#source/source.ts';
import { commandsFor, controlPlane, describeCluster } from '../support/cluster-context.ts';
import { refOfAny } from '../support/object-source.ts';
import { describeSource } from './source.contract.ts';

/** An API server has a Service of its own in this namespace, which the suite does not know of. */
function onlyOurs(listener: SourceListener): SourceListener {
  return {
    ...listener,
    changes(changes) {
      const ours = changes.filter(({ ref }) => ref.kind === 'KongConsumer' || ref.kind === 'Secret');
      if (ours.length > 0) listener.changes(ours);
    },
  };
}

describeCluster('source', () => {
  describeSource('a Kubernetes API server', async () => {
    const { kubeconfig } = controlPlane();
    const { kubectl } = commandsFor(controlPlane());
    await kubectl(['apply', '--server-side', '--filename', 'crds/']);
    const api = await connectKubernetes(kubeconfig);
    await kubectl(['delete', 'kongconsumers,secrets', '--all', '--namespace', 'default']);
    return {
      makeSource: () => {
        // A connection of its own, which the source closes.
        const connecting = connectKubernetes(kubeconfig).then((own) =>
          kubernetesSource({
            api: own,
            namespaces: ['default'],
            onHealth: () => undefined,
            writer: (observations) => createKubernetesWriter({ api: own, fieldManager: 'test', ...observations }),
          }),
        );
        return {
          start: async (listener) => (await connecting).start(onlyOurs(listener)),
          stop: async () => (await connecting).stop(),
          write: async (edits) => (await connecting).write(edits),
          read: async (ref) => (await connecting).read(ref),
        };
      },
      notAtomic: 'the API server has no transactions: between two writes others see the first',
      put: async (object) => {
        // Twice, since the API server stores the default of `status` with the second write alone.
        for (let i = 0; i < 2; i += 1) {
          await api.request({
            method: 'PATCH',
            path: objectPath(refOfAny(object)),
            query: { fieldManager: 'outside', force: 'true' },
            contentType: 'application/apply-patch+yaml',
            body: object,
          });
        }
      },
      remove: async (ref) => {
        await api.request({ method: 'DELETE', path: objectPath(ref) });
      },
      close: async () => api.close(),
    };
  });
});
