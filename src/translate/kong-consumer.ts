import type { KongConsumer } from '#resources/kong-consumer.ts';
import { flatText, formatRef, refKey, type Ref } from '#resources/ref.ts';
import { secret, type Secret } from '#resources/secret.ts';
import { uidFromRef } from '#resources/ids.ts';
import type { Problem, TimedProblem } from '#resources/verdict.ts';
import type { ConsumerIdentity } from '#table/consumer-identity.ts';
import { credentialKey, type CredentialEntry } from '#table/credential-entry.ts';
import { unsupportedAnnotations } from './annotations.ts';
import { controlPlaneRefProblems } from './control-plane-ref.ts';
import { readCredential, type ReadCredential } from './credential.ts';
import { expiryProblems } from './expiry-problems.ts';
import { identityOf } from './find-consumer.ts';
import { foreignClass } from './ingress-class.ts';
import { membershipsOf } from './memberships.ts';
import { rankOf } from './rank.ts';
import type { Claim, ClaimedEntry, Context, RootKind, Translation } from './translation.ts';

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const controlCharacter = /[\u0000-\u001f\u007f]/;

/** A name that no header can carry would let a consumer's author write headers of their own. */
function nameProblems(object: KongConsumer): Problem[] {
  const problems: Problem[] = [];
  for (const field of ['username', 'custom_id'] as const) {
    if (!controlCharacter.test(object[field] ?? '')) continue;
    const message = `${field}: has a control character, which no header can carry`;
    problems.push({ reason: 'InvalidObject', field, message, effect: 'object not in force' });
  }
  if ((object.username ?? '') === '' && (object.custom_id ?? '') === '') {
    const message = 'username: no username or custom_id specified';
    problems.push({ reason: 'InvalidObject', field: 'username', message, effect: 'object not in force' });
  }
  return problems;
}

function nameClaims(object: KongConsumer, { ref }: Context): Claim[] {
  const rank = rankOf(ref, object);
  return (['username', 'custom_id'] as const)
    .filter((field) => (object[field] ?? '') !== '')
    .map((field) => ({
      key: flatText(field, ':', object[field] ?? ''),
      owner: refKey(ref),
      rank,
      what: flatText(field, ' ', object[field] ?? ''),
      field,
      holder: ref,
      effect: 'object not in force',
    }));
}

interface CredentialPlace {
  readonly name: string;
  readonly index: number;
  readonly identity: ConsumerIdentity;
}

/** One item of `credentials`: the entry it yields, or why it yields none. */
function translateCredential(object: KongConsumer, place: CredentialPlace, context: Context): ClaimedEntry | Problem[] {
  const { ref, view } = context;
  const field = `credentials[${place.index}]`;
  const about: Ref = { kind: 'Secret', namespace: ref.namespace, name: place.name };
  const found = view.get(secret, ref.namespace, place.name);
  if (found === undefined) {
    const isInvalid = view.stateOf(about) === 'invalid';
    const what = isInvalid ? 'is invalid, see its own verdict' : 'does not exist';
    return [
      {
        reason: 'SecretNotFound',
        field,
        about,
        message: `${field}: ${formatRef(about)} ${what}`,
        effect: 'credential not in force',
      },
    ];
  }
  const read = readCredential(found);
  if ('problems' in read) {
    return read.problems.map((problem) => ({
      ...problem,
      field,
      about,
      message: `${field}: ${formatRef(about)}: ${problem.message}`,
    }));
  }
  return 'group' in read ? [] : claimedCredential(object, { ...place, about, found, read }, context);
}

/** A credential that can be read, and where. */
interface ReadPlace extends CredentialPlace {
  readonly about: Ref;
  readonly found: Secret;
  readonly read: Extract<ReadCredential, { readonly digest: string }>;
}

/** The entry of a credential, which claims its secret or, if it has one, its name among those of its type. */
function claimedCredential(object: KongConsumer, place: ReadPlace, { ref }: Context): ClaimedEntry {
  const { about, found, read } = place;
  const entry: CredentialEntry = {
    kind: 'credential',
    key: credentialKey({ namespace: ref.namespace, secret: about.name, consumer: ref.name }),
    digest: read.digest,
    // Kong tells the upstream the username of a basic-auth credential, and the id of any other.
    credentialId: read.name ?? found.metadata.uid ?? uidFromRef(about),
    consumer: place.identity,
    ...(read.expiresAtMs === undefined ? {} : { expiresAtMs: read.expiresAtMs }),
  };
  const claim: Claim = {
    key: read.name === undefined ? flatText('key:', read.digest) : flatText('name:', read.type, ':', read.name),
    owner: entry.key,
    // The older Secret has the key; of two consumers that list one Secret, the older.
    rank: flatText(rankOf(about, found), '|', rankOf(ref, object)),
    what: read.name === undefined ? flatText('the key of ', formatRef(about)) : flatText(read.type, ' ', read.name),
    field: `credentials[${place.index}]`,
    holder: about,
    effect: 'credential not in force',
  };
  return { entry, claims: [claim] };
}

function timedProblems(
  translated: ClaimedEntry | readonly Problem[],
  { name, index }: Pick<CredentialPlace, 'name' | 'index'>,
  { ref, settings }: Context,
): TimedProblem[] {
  if (!('entry' in translated) || translated.entry.kind !== 'credential') return [];
  const { expiresAtMs } = translated.entry;
  if (expiresAtMs === undefined) return [];
  const about: Ref = { kind: 'Secret', namespace: ref.namespace, name };
  return expiryProblems({ field: `credentials[${index}]`, about, atMs: expiresAtMs }, settings.keyExpiryWarningMs ?? 0);
}

function translateConsumer(object: KongConsumer, context: Context): Translation {
  const problems: Problem[] = [
    ...nameProblems(object),
    ...unsupportedAnnotations(object),
    ...controlPlaneRefProblems(object),
  ];
  if (problems.some((problem) => problem.effect === 'object not in force')) return { entries: [], problems };
  const memberships = membershipsOf(object, context);
  problems.push(...memberships.problems);
  const identity = identityOf(object, memberships);
  const entries: ClaimedEntry[] = [];
  const timed: TimedProblem[] = [];
  for (const [index, name] of (object.credentials ?? []).entries()) {
    if (object.credentials?.indexOf(name) !== index) continue; // listed twice: once is enough
    const translated = translateCredential(object, { name, index, identity }, context);
    if (Array.isArray(translated)) problems.push(...translated);
    else entries.push(translated);
    timed.push(...timedProblems(translated, { name, index }, context));
  }
  return { claims: nameClaims(object, context), entries, problems, ...(timed.length === 0 ? {} : { timed }) };
}

/** A consumer: its name, and a credential for each Secret it lists. */
export const kongConsumerRoot: RootKind<KongConsumer> = {
  translate(object, context) {
    const foreign = foreignClass(object, context, undefined);
    return foreign === undefined ? translateConsumer(object, context) : { entries: [], problems: [], notOurs: foreign };
  },
};
