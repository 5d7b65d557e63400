import type { ConsumerIdentity } from '#table/consumer-identity.ts';
import type { Credential, CredentialEntry } from '#table/credential-entry.ts';

/*
 * Credentials that follow from a number and a version, so that whoever finds one can tell whether it is
 * whole, whose it is and how new. Their digests are as alike as can be: their searches begin in a few places
 * and run through each other, and all have one tag.
 */

const groups = 2;
const homesInGroup = 8;
/** Of the first word, which is scaled to the number of slots: a few slots of a memory of thousands. */
const homeStep = 2 ** 21;

/** Numbers that differ by a multiple of this have one home. */
export const sameHome = groups * homesInGroup;

/** The digest of a numbered key. Only what stands in the third word tells keys of one home apart. */
export function digestOf(number: number): Buffer {
  const digest = Buffer.alloc(16, 0x5a);
  const group = number % groups;
  const home = Math.floor(number / groups) % homesInGroup;
  // The last group begins so near the end that its searches go round to the first slot.
  digest.writeUInt32LE((group + 1) * (2 ** 32 / groups) - 1 - home * homeStep, 0);
  digest.writeUInt32LE(number, 8);
  return digest;
}

/** A digest that is never put: the one of that number but for its last byte. */
export function neverPut(number: number): Buffer {
  const digest = digestOf(number);
  digest[15] = 0xa5;
  return digest;
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0').slice(-digits);
const uuidOf = (number: number, version: number, what: number): string =>
  `${hex(number, 8)}-${hex(version, 4)}-4${hex(what, 3)}-8000-${hex(number * 7919 + version * 31 + what, 12)}`;

/** The entry of a numbered key in a version; the lengths of its texts, and what is absent, vary with the version. */
export function entryOf(number: number, version: number): CredentialEntry {
  const filler = (version % 5 === 0 ? '€' : 'x').repeat(version % 41);
  return {
    kind: 'credential',
    key: `credential:${number}`,
    digest: digestOf(number).toString('base64url'),
    credentialId: uuidOf(number, version, 1),
    consumer: {
      id: version % 7 === 0 ? `id of ${number} in ${version}` : uuidOf(number, version, 2),
      namespace: `ns-${version % 3}`,
      username: `${number}/${version}/${filler}`,
      ...(version % 4 === 0 ? { groups: [`g${version}`], plugins: [`plugin:KongPlugin/a/${number}`] } : {}),
      ...(version % 3 === 0 ? { customId: `custom id of ${number} in ${version} ${filler}` } : {}),
    },
  };
}

const sorted = (consumer: ConsumerIdentity) => Object.entries(consumer).sort(([a], [b]) => (a < b ? -1 : 1));

/** The version of what was found for a numbered key; undefined when it is not, whole, a version of that key. */
export function versionOf(number: number, { credentialId, consumer }: Credential): number | undefined {
  const version = Number(consumer.username?.split('/')[1]);
  const expected = entryOf(number, version);
  const isWhole =
    credentialId === expected.credentialId &&
    JSON.stringify(sorted(consumer)) === JSON.stringify(sorted(expected.consumer));
  return isWhole ? version : undefined;
}
