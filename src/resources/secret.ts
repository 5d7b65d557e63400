import Type from 'typebox';
import { defineKind, type ObjectOf } from './kind.ts';

/** Label that makes a Secret a credential and names its type (kong-facts 4.6). */
export const credentialLabel = 'konghq.com/credential';
/** Label of Secrets and ConfigMaps that hold CA certificates (kong-facts 4.5). */
export const caLabel = 'konghq.com/ca-cert';
/** Type of Secrets that hold a certificate and its key: https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets */
export const tlsType = 'kubernetes.io/tls';

/** A value that can be read where it is used and prints as a placeholder: `table/redacted.ts`. */
export interface HiddenText {
  reveal(): string;
}

/**
 * A data field of a Secret after sealing: the keyed digest of a value that must not be kept, the text of
 * one that may be, the hidden text of one that must stay readable, or why it could not be read. See
 * `store/seal.ts`.
 */
const sealedField = Type.Object({
  digest: Type.Optional(Type.String()),
  text: Type.Optional(Type.String()),
  hidden: Type.Optional(Type.Unsafe<HiddenText>({})),
  fault: Type.Optional(Type.String()),
});

/**
 * Types of Secrets that nothing of ours can ever refer to. They are many and large (each release of Helm is
 * one), so they are not even sent. https://kubernetes.io/docs/concepts/configuration/secret/#secret-types
 */
const foreignTypes = [
  'helm.sh/release.v1',
  'kubernetes.io/service-account-token',
  'kubernetes.io/dockerconfigjson',
  'bootstrap.kubernetes.io/token',
];

/**
 * https://kubernetes.io/docs/concepts/configuration/secret/, as the store has it: `data` and `stringData`
 * are gone, `sealed` holds what the use of the Secret lets us keep; for most Secrets that is nothing.
 */
export const secret = defineKind({
  kind: 'Secret',
  group: '',
  version: 'v1',
  plural: 'secrets',
  scope: 'Namespaced',
  fieldSelector: foreignTypes.map((type) => `type!=${type}`).join(','),
  adminVerbs: ['create', 'patch', 'delete'],
  fields: Type.Object({
    type: Type.Optional(Type.String()),
    sealed: Type.Optional(Type.Record(Type.String(), sealedField)),
  }),
});

export type Secret = ObjectOf<typeof secret>;
export type SealedField = NonNullable<Secret['sealed']>[string];
