import Type from 'typebox';
import { refOf } from '#resources/kind.ts';
import { kongConsumer, type KongConsumer } from '#resources/kong-consumer.ts';
import { refKey } from '#resources/ref.ts';
import type { Backend } from './backend.ts';
import { consumerEntity } from './entity.ts';
import { schemaViolation, uniqueViolation } from './errors.ts';
import { fitting } from './field-errors.ts';
import { consumersNamed } from './look-up.ts';
import { assertUnchanged, givenFields, whyGiven } from './read-only.ts';
import type { Arguments } from './arguments.ts';

/** The arguments of a consumer (kong-facts 3.6). */
export const consumerArguments = Type.Object(
  {
    ...givenFields,
    username: Type.Optional(Type.String({ minLength: 1 })),
    custom_id: Type.Optional(Type.String({ minLength: 1 })),
    tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 20 })),
  },
  { additionalProperties: false },
);

export interface ConsumerFields {
  readonly username?: string;
  readonly custom_id?: string;
  readonly tags?: readonly string[];
}

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const controlCharacter = /[\u0000-\u001f\u007f]/;

/** A name with a control character fits no header, so the consumer would not be in force. */
function assertPrintable(fields: ConsumerFields): void {
  const bad = (['username', 'custom_id'] as const).filter((field) => controlCharacter.test(fields[field] ?? ''));
  const fault = 'has a control character, which no header can carry';
  if (bad.length > 0) throw schemaViolation(Object.fromEntries(bad.map((field) => [field, fault])));
}

function assertTags({ tags = [] }: ConsumerFields): void {
  const faults = tags.map((tag) =>
    controlCharacter.test(tag) || /[,/]/.test(tag)
      ? `invalid tag '${tag}': expected printable ascii (except \`,\` and \`/\`) or valid utf-8 sequences`
      : null,
  );
  if (faults.some((fault) => fault !== null)) throw schemaViolation({ tags: faults });
}

function assertUnique(backend: Backend, fields: ConsumerFields, self: KongConsumer | undefined): void {
  const keyOf = (object: KongConsumer): string => refKey(refOf(kongConsumer, object));
  for (const field of ['username', 'custom_id'] as const) {
    const value = fields[field];
    if (value === undefined) continue;
    const others = consumersNamed(backend, field, value).filter(
      (object) => self === undefined || keyOf(object) !== keyOf(self),
    );
    if (others.length > 0) throw uniqueViolation({ [field]: value });
  }
}

/**
 * What the arguments make of a consumer; `self` is the one that is changed.
 *
 * @throws AdminError 400 for what is no consumer, 409 for a name that another one has
 */
export function checkConsumer(backend: Backend, args: Arguments, self: KongConsumer | undefined): ConsumerFields {
  const fields: ConsumerFields = fitting(consumerArguments, args);
  assertUnchanged(args, self === undefined ? {} : consumerEntity(self), whyGiven);
  if (fields.username === undefined && fields.custom_id === undefined) {
    const message = "at least one of these fields must be non-empty: 'custom_id', 'username'";
    throw schemaViolation({ '@entity': [message] });
  }
  assertPrintable(fields);
  assertTags(fields);
  assertUnique(backend, fields, self);
  return fields;
}
