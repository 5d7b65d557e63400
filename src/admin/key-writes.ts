import { kongConsumer, type KongConsumer } from '#resources/kong-consumer.ts';
import { credentialLabel, secret, type Secret } from '#resources/secret.ts';
import type { Edit } from '#source/source.ts';
import type { Backend } from './backend.ts';
import { withCredentials } from './consumer-objects.ts';
import { holdersOf, ownersOf, showCredential, type OwnedCredential } from './credential-store.ts';
import { change, changeIfThere, creation, deletion } from './edits.ts';
import { conflict } from './errors.ts';
import type { KeyFields } from './key-arguments.ts';
import { changedSecret, newSecret } from './key-secrets.ts';
import { namespaceOf } from './look-up.ts';
import { generateKey } from './object-name.ts';

/** Edits that delete the credential Secrets of these names, save those that another consumer lists too. */
export function secretDeletions(backend: Backend, owner: KongConsumer, names: readonly string[]): Edit[] {
  const namespace = namespaceOf(owner);
  return [...new Set(names)]
    .flatMap((name) => backend.store.get(secret, namespace, name) ?? [])
    .filter(({ metadata }) => metadata.labels?.[credentialLabel] !== undefined)
    .filter(({ metadata }) =>
      ownersOf(backend, namespace, metadata.name).every(({ metadata: { name } }) => name === owner.metadata.name),
    )
    .map((object) => deletion(secret, object));
}

const withoutName = (name: string) => (names: readonly string[]) => names.filter((other) => other !== name);

/** Expired credentials are deleted when they are in the way: the table counts a key as theirs still. */
function purgeEdits(backend: Backend, key: string | undefined, self: Secret | undefined): Edit[] {
  const inTheWay = key === undefined ? [] : holdersOf(backend, key).filter(({ isExpired }) => isExpired);
  return inTheWay
    .filter(({ secret: object }) => object !== self)
    .flatMap(({ secret: object }) => {
      const { name } = object.metadata;
      const owners = ownersOf(backend, namespaceOf(object), name);
      const unlist = (owner: KongConsumer) =>
        changeIfThere(kongConsumer, owner, (current) => withCredentials(current, withoutName(name)));
      return [...owners.map(unlist), deletion(secret, object)];
    });
}

async function showWritten(backend: Backend, consumer: KongConsumer, name: string) {
  const stored = backend.store.get(secret, namespaceOf(consumer), name);
  if (stored === undefined) throw conflict(`Secret ${name} was changed by somebody else meanwhile`);
  return showCredential(backend, { secret: stored, consumer });
}

/** Makes the Secret of a credential and lists it on its consumer, as one write. */
export async function createKey(backend: Backend, consumer: KongConsumer, fields: KeyFields) {
  const object = newSecret(backend, consumer, fields);
  const { name } = object.metadata;
  await backend.write([
    ...purgeEdits(backend, fields.key, undefined),
    creation(secret, object),
    change(kongConsumer, consumer, (current) => withCredentials(current, (names) => [...names, name])),
  ]);
  return showWritten(backend, consumer, name);
}

/** Changes what is stated of a credential. */
export async function changeKey(backend: Backend, { secret: object, consumer }: OwnedCredential, fields: KeyFields) {
  await backend.write([
    ...purgeEdits(backend, fields.key, object),
    change(secret, object, (current) => changedSecret(current, fields, backend.now())),
  ]);
  return showWritten(backend, consumer, object.metadata.name);
}

/** Replaces a credential: a key that is not stated is generated, a ttl is none (kong-facts 1.8, 3.7). */
export async function replaceKey(backend: Backend, owned: OwnedCredential, fields: KeyFields) {
  return changeKey(backend, owned, { key: generateKey(), ttl: 0, ...fields });
}

/** Takes a credential from its consumer; its Secret goes too unless another consumer lists it. */
export async function removeKey(backend: Backend, { secret: object, consumer }: OwnedCredential): Promise<void> {
  const { name } = object.metadata;
  await backend.write([
    changeIfThere(kongConsumer, consumer, (current) => withCredentials(current, withoutName(name))),
    ...secretDeletions(backend, consumer, [name]),
  ]);
}
