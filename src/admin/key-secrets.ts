import { apiVersionOf, type KubernetesObject } from '#resources/kind.ts';
import type { KongConsumer } from '#resources/kong-consumer.ts';
import { credentialLabel, secret } from '#resources/secret.ts';
import type { Backend } from './backend.ts';
import { keyAuth } from './credential-store.ts';
import { invalidOption } from './errors.ts';
import { longestTtlSeconds, type KeyFields } from './key-arguments.ts';
import { namespaceOf } from './look-up.ts';
import { generateKey, objectName, randomSuffix } from './object-name.ts';

/** The Secret `<consumer>-key-auth-<random>` of a new credential, with its key or a generated one. */
export function newSecret(backend: Backend, consumer: KongConsumer, { key, ttl = 0 }: KeyFields): KubernetesObject {
  const namespace = namespaceOf(consumer);
  const isTaken = (name: string): boolean => backend.store.find({ kind: secret.kind, namespace, name }) !== undefined;
  return {
    apiVersion: apiVersionOf(secret),
    kind: secret.kind,
    metadata: {
      name: objectName(`${consumer.metadata.name}-key-auth-${randomSuffix()}`, isTaken),
      namespace,
      creationTimestamp: backend.now().toISOString(),
      labels: { [credentialLabel]: keyAuth },
    },
    stringData: { key: key ?? generateKey(), ...(ttl === 0 ? {} : { ttl: String(ttl) }) },
  };
}

/**
 * A `ttl` that counts from now, as the Secret states it: from its creation (kong-facts 1.8).
 *
 * @throws AdminError 400 if that would be more than a credential may live for
 */
function ttlFromCreation(object: KubernetesObject, ttl: number, now: Date): string {
  const createdMs = Date.parse(object.metadata.creationTimestamp ?? '');
  const age = Number.isNaN(createdMs) ? 0 : Math.max(0, Math.ceil((now.getTime() - createdMs) / 1000));
  const most = longestTtlSeconds - age;
  if (ttl > most) throw invalidOption('ttl', `must be an integer between 0 and ${most}, as it counts from created_at`);
  return String(age + ttl);
}

type Data = Record<string, string>;

/** The Secret with another key, another ttl; what is not stated stays. */
export function changedSecret(current: KubernetesObject, { key, ttl }: KeyFields, now: Date): KubernetesObject {
  const { data: dataBefore, stringData: textBefore, ...rest } = current;
  const data = { ...(dataBefore as Data | undefined) };
  const stringData = { ...(textBefore as Data | undefined) };
  const set = (field: string, value: string | undefined): void => {
    delete data[field];
    delete stringData[field];
    if (value !== undefined) stringData[field] = value;
  };
  if (key !== undefined) set('keyHash', undefined);
  if (key !== undefined) set('key', key);
  if (ttl !== undefined) set('ttl', ttl === 0 ? undefined : ttlFromCreation(current, ttl, now));
  return {
    ...(rest as KubernetesObject),
    // A ttl needs a time to count from.
    metadata: { ...current.metadata, creationTimestamp: current.metadata.creationTimestamp ?? now.toISOString() },
    ...(Object.keys(data).length === 0 ? {} : { data }),
    ...(Object.keys(stringData).length === 0 ? {} : { stringData }),
  };
}
