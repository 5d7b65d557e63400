import { createHash } from 'node:crypto';
import type { KubernetesObject } from './kind.ts';
import type { KongConsumer } from './kong-consumer.ts';
import { refKey, type Ref } from './ref.ts';

/** UUIDv5: SHA-1 of namespace and name (RFC 9562 section 5.5). */
function uuidv5(namespace: string, name: string): string {
  const digest = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Namespace of the ids that Kong's controller generates (kong-facts 4.6), by plural entity name. */
const kongNamespace = 'fd02801f-0957-4a15-a55a-c8d9606f30b5';
const consumersNamespace = uuidv5(kongNamespace, 'consumers');
const uidNamespace = uuidv5(kongNamespace, 'latchkey.dev/uid');

/**
 * The uid of an object that no API server gave one: directory mode makes it from kind, namespace and
 * name, so that it is the same after every restart.
 */
export function uidFromRef(ref: Ref): string {
  return uuidv5(uidNamespace, refKey(ref));
}

/**
 * The id of a consumer, as `X-Consumer-ID` and the Admin API show it: the UUIDv5 of its username that
 * Kong's controller uses (kong-facts 4.6), so that an upstream which stored it sees no change on
 * migration. A consumer with only a custom_id has none there; here it is its object's uid.
 */
export function consumerId(consumer: KongConsumer & KubernetesObject, ref: Ref): string {
  if (consumer.username !== undefined && consumer.username !== '') return uuidv5(consumersNamespace, consumer.username);
  return consumer.metadata.uid ?? uidFromRef(ref);
}
