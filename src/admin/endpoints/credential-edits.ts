import type { KubernetesObject } from '#resources/kind.ts';
import type { KongConsumer } from '#resources/kong-consumer.ts';
import { credentialLabel, secret } from '#resources/secret.ts';
import type { Edit } from '#source/source.ts';
import { consumersBySecret } from '#store/indexes.ts';
import type { Store } from '#store/store.ts';

/** Edits that delete the credential Secrets of these names, save those that another consumer lists too. */
export function deleteSecretEdits(
  store: Store,
  namespace: string,
  names: readonly string[],
  owner: KongConsumer & KubernetesObject,
): Edit[] {
  return names
    .filter((name) => store.get(secret, namespace, name)?.metadata.labels?.[credentialLabel] !== undefined)
    .filter((name) =>
      store
        .lookup(consumersBySecret, `${namespace}/${name}`)
        .every((consumer) => consumer.metadata.name === owner.metadata.name),
    )
    .map((name) => ({ ref: { kind: 'Secret', namespace, name }, apply: () => undefined }));
}
