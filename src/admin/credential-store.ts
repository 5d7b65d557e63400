import { consumerId } from '#resources/ids.ts';
import { refOf, type KubernetesObject } from '#resources/kind.ts';
import { kongConsumer, type KongConsumer } from '#resources/kong-consumer.ts';
import { lastUsesIn } from '#resources/last-used.ts';
import { credentialExpiry } from '#resources/credential-expiry.ts';
import { credentialLabel, secret, type Secret } from '#resources/secret.ts';
import { consumersBySecret } from '#store/indexes.ts';
import type { Backend } from './backend.ts';
import { credentialEntity, idOf, seconds } from './entity.ts';
import { isOurs, isUuid, namespaceOf, oldest } from './look-up.ts';

/** Value of the label konghq.com/credential. */
export const keyAuth = 'key-auth';

/** A credential and the consumer that lists it. */
export interface OwnedCredential {
  readonly secret: Secret;
  readonly consumer: KongConsumer;
}

const isKeyAuth = (object: Secret | undefined): object is Secret =>
  object?.metadata.labels?.[credentialLabel] === keyAuth;

/** Milliseconds since the epoch at which a credential ends; undefined when it does not. */
function expiryMs(object: Secret): number | undefined {
  const expiry = credentialExpiry(object);
  return 'fault' in expiry ? undefined : expiry.atMs;
}

/** Whole seconds that a credential has left; null when it does not expire. */
function secondsLeft(object: Secret, now: Date): number | null {
  const end = expiryMs(object);
  return end === undefined ? null : Math.max(0, Math.floor((end - now.getTime()) / 1000));
}

function isLive(object: Secret, now: Date): boolean {
  const end = expiryMs(object);
  return end === undefined || end > now.getTime();
}

/** Our consumers that list a Secret. */
export function ownersOf(backend: Backend, namespace: string, name: string): KongConsumer[] {
  const found = backend.store.lookup(consumersBySecret, `${namespace}/${name}`);
  return found.filter((object) => isOurs(backend, object));
}

/** The key-auth credentials that a consumer lists. An expired one is gone from every read (kong-facts 1.8). */
export function credentialsOf(backend: Backend, consumer: KongConsumer): OwnedCredential[] {
  return [...new Set(consumer.credentials ?? [])]
    .map((name) => backend.store.get(secret, namespaceOf(consumer), name))
    .filter((object) => isKeyAuth(object))
    .filter((object) => isLive(object, backend.now()))
    .map((object) => ({ secret: object, consumer }));
}

function listedCredentials(backend: Backend, isWanted: (object: Secret) => boolean): OwnedCredential[] {
  return backend.store
    .list(secret)
    .filter((object) => isKeyAuth(object) && isWanted(object))
    .flatMap((object) => {
      const consumer = oldest(ownersOf(backend, namespaceOf(object), object.metadata.name));
      return consumer === undefined ? [] : [{ secret: object, consumer }];
    });
}

/** Every key-auth credential that a consumer lists. */
export function allCredentials(backend: Backend): OwnedCredential[] {
  const now = backend.now();
  return listedCredentials(backend, (object) => isLive(object, now));
}

/** Every credential with this key, those that have expired and still hold it included. */
export function holdersOf(backend: Backend, key: string): (OwnedCredential & { readonly isExpired: boolean })[] {
  const digest = backend.digest(keyAuth, key);
  const now = backend.now();
  const held = listedCredentials(backend, (object) => object.sealed?.['key']?.digest === digest);
  return held.map((owned) => ({ ...owned, isExpired: !isLive(owned.secret, now) }));
}

export const credentialId = (object: Secret): string => idOf(secret, object);

/** Whether a Secret is the one with this id, or with this key: digests are compared, no key is kept. */
function matcher(backend: Backend, idOrKey: string): (object: Secret) => boolean {
  if (isUuid(idOrKey)) return (object) => credentialId(object) === idOrKey.toLowerCase();
  const digest = backend.digest(keyAuth, idOrKey);
  return (object) => object.sealed?.['key']?.digest === digest;
}

/** Of several with the same key the oldest has it. */
function oldestOf(found: readonly OwnedCredential[]): OwnedCredential | undefined {
  const first = oldest(found.map(({ secret: object }) => object));
  return found.find(({ secret: object }) => object === first);
}

/** A credential of a consumer by id or by key. */
export function findCredentialOf(
  backend: Backend,
  consumer: KongConsumer,
  idOrKey: string,
): OwnedCredential | undefined {
  const isIt = matcher(backend, idOrKey);
  return oldestOf(credentialsOf(backend, consumer).filter(({ secret: object }) => isIt(object)));
}

/** A credential by id or by key, whoever has it. */
export function findCredential(backend: Backend, idOrKey: string): OwnedCredential | undefined {
  const isIt = matcher(backend, idOrKey);
  const now = backend.now();
  return oldestOf(listedCredentials(backend, (object) => isIt(object) && isLive(object, now)));
}

const asFields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** The text of a data field of a Secret as it was written; `stringData` wins (`store/seal.ts`). */
function dataField(object: KubernetesObject | undefined, field: string): string | null {
  const text = asFields(object?.['stringData'])[field];
  if (typeof text === 'string') return text;
  const encoded = asFields(object?.['data'])[field];
  return typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString('utf8') : null;
}

/**
 * When a credential was last used, in seconds since the epoch: as this process saw it, or later, as others did and
 * the status of the consumer tells. Nothing at all where it is not noted.
 */
function lastUse(backend: Backend, { secret: object, consumer }: OwnedCredential): { lastUsedAt?: number | null } {
  const names = { secret: object.metadata.name, consumer: consumer.metadata.name, namespace: namespaceOf(consumer) };
  if (backend.lastUsedMs === undefined) return {};
  const stated = lastUsesIn(consumer['status']).bySecret.get(names.secret) ?? 0;
  const ms = Math.max(stated, backend.lastUsedMs(names) ?? 0);
  return { lastUsedAt: ms === 0 ? null : Math.floor(ms / 1000) };
}

/** A credential as it is shown, its key read from the source for this answer only; null where just its hash is kept. */
export async function showCredential(backend: Backend, { secret: object, consumer }: OwnedCredential) {
  const written = await backend.read(refOf(secret, object));
  return credentialEntity({
    id: credentialId(object),
    createdAt: seconds(object.metadata.creationTimestamp),
    consumerId: consumerId(consumer, refOf(kongConsumer, consumer)),
    key: dataField(written, 'key'),
    ttl: secondsLeft(object, backend.now()),
    ...lastUse(backend, { secret: object, consumer }),
  });
}
