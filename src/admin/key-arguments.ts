import Type from 'typebox';
import { refOf } from '#resources/kind.ts';
import { kongConsumer, type KongConsumer } from '#resources/kong-consumer.ts';
import { refKey } from '#resources/ref.ts';
import type { Arguments } from './arguments.ts';
import type { Backend } from './backend.ts';
import { credentialId, holdersOf, type OwnedCredential } from './credential-store.ts';
import { seconds } from './entity.ts';
import {
  foreignKeyUnresolved,
  foreignKeyViolation,
  invalidOption,
  schemaViolation,
  uniqueViolation,
} from './errors.ts';
import { fitting } from './field-errors.ts';
import { findConsumer, isUuid } from './look-up.ts';
import { assertUnchanged, givenFields, whyGiven } from './read-only.ts';

/** Seconds that a credential may live for (kong-facts 1.8). */
export const longestTtlSeconds = 100_000_000;

/** The arguments of a key-auth credential (kong-facts 1.2). */
export const keyArguments = Type.Object(
  {
    id: givenFields.id,
    created_at: givenFields.created_at,
    // Ours to tell, like `updated_at`: what was read can be put back, however often it was used meanwhile.
    last_used_at: Type.Optional(Type.Number()),
    key: Type.Optional(Type.String({ minLength: 1 })),
    ttl: Type.Optional(Type.Integer()),
    tags: Type.Optional(Type.Array(Type.String())),
    consumer: Type.Optional(
      Type.Object(
        { id: Type.Optional(Type.String()), username: Type.Optional(Type.String()) },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);

const whyUnchanged = {
  ...whyGiven,
  tags: 'are not kept on credentials yet, leave them out',
};

export interface KeyFields {
  readonly key?: string;
  /** 0: for ever. */
  readonly ttl?: number;
  readonly consumer?: { readonly id?: string; readonly username?: string };
}

/** In Kong `ttl` is an option of the write, not a field, and has its errors. */
function assertTtl(ttl: unknown): void {
  if (ttl === undefined || ttl === null) return;
  if (Number.isInteger(ttl) && (ttl as number) >= 0 && (ttl as number) <= longestTtlSeconds) return;
  throw invalidOption('ttl', `must be an integer between 0 and ${longestTtlSeconds}`);
}

/** @throws AdminError 400 if the consumer is stated and none, or another than the one that has the key */
function assertStays(backend: Backend, { consumer: stated }: KeyFields, owner: KongConsumer): void {
  if (stated === undefined) return;
  const keyOf = (object: KongConsumer): string => refKey(refOf(kongConsumer, object));
  if (keyOf(consumerStated(backend, { consumer: stated })) === keyOf(owner)) return;
  throw schemaViolation({ consumer: 'cannot be changed: delete the credential and make another' });
}

/**
 * The consumer that the arguments name.
 *
 * @throws AdminError 400 if they name none, or one that does not exist
 */
export function consumerStated(backend: Backend, { consumer }: KeyFields): KongConsumer {
  if (consumer === undefined) throw schemaViolation({ consumer: 'required field missing' });
  const { id, username } = consumer;
  if (id === undefined && username === undefined) throw schemaViolation({ consumer: { id: 'missing primary key' } });
  if (id !== undefined && !isUuid(id)) throw schemaViolation({ consumer: { id: 'expected a valid UUID' } });
  const found = findConsumer(backend, id ?? username ?? '');
  if (found !== undefined) return found;
  throw id === undefined
    ? foreignKeyUnresolved('consumer', { username: username ?? '' }, 'consumers')
    : foreignKeyViolation('consumer', id, 'consumers');
}

/**
 * What the arguments make of a credential; `self` is the one that is changed.
 *
 * @throws AdminError 400 for what is no credential, 409 for a key that another one has
 */
export function checkKey(backend: Backend, args: Arguments, self: OwnedCredential | undefined): KeyFields {
  const { ttl, ...others } = args;
  assertTtl(ttl);
  // A null would generate a key where its author thinks there is none.
  if (others['key'] === null) throw schemaViolation({ key: 'length must be at least 1' });
  const fields: KeyFields = fitting(keyArguments, others);
  const current = {
    id: self && credentialId(self.secret),
    created_at: seconds(self?.secret.metadata.creationTimestamp),
  };
  assertUnchanged(args, { ...current, tags: null }, whyUnchanged);
  if (self !== undefined) assertStays(backend, fields, self.consumer);
  const { key } = fields;
  const isTaken =
    key !== undefined &&
    holdersOf(backend, key).some(
      ({ secret: object, isExpired }) =>
        !isExpired && (self === undefined || credentialId(object) !== credentialId(self.secret)),
    );
  if (isTaken) throw uniqueViolation({ key });
  if (!Object.hasOwn(args, 'ttl')) return fields;
  return { ...fields, ttl: typeof ttl === 'number' ? ttl : 0 };
}
