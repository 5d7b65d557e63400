import Type from 'typebox';
import { defineKind, type ObjectOf } from './kind.ts';

/** Label that makes a Secret a credential and names its type (kong-facts 4.6). */
export const credentialLabel = 'konghq.com/credential';

/**
 * A data field of a Secret after sealing: the keyed digest of a value that must not be kept, the text of
 * one that may be, or why it could not be read. See `store/seal.ts`.
 */
const sealedField = Type.Object({
  digest: Type.Optional(Type.String()),
  text: Type.Optional(Type.String()),
  fault: Type.Optional(Type.String()),
});

/**
 * https://kubernetes.io/docs/concepts/configuration/secret/, as the store has it: `data` and `stringData`
 * are gone, `sealed` holds what the type of the credential lets us keep.
 */
export const secret = defineKind({
  kind: 'Secret',
  group: '',
  version: 'v1',
  plural: 'secrets',
  scope: 'Namespaced',
  labelSelector: credentialLabel,
  adminVerbs: ['create', 'patch', 'delete'],
  fields: Type.Object({
    type: Type.Optional(Type.String()),
    sealed: Type.Optional(Type.Record(Type.String(), sealedField)),
  }),
});

export type Secret = ObjectOf<typeof secret>;
export type SealedField = NonNullable<Secret['sealed']>[string];
