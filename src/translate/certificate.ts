import { createPrivateKey, hash, X509Certificate, type KeyObject } from 'node:crypto';
import { ingressesByCertificate } from '#store/indexes.ts';
import type { Fact, View } from '#store/view.ts';
import type { Reason } from '#resources/reasons.ts';
import { formatRef, type Ref } from '#resources/ref.ts';
import { secret as secretKind, tlsType, type SealedField, type Secret } from '#resources/secret.ts';
import type { Effect, Problem, TimedProblem } from '#resources/verdict.ts';
import type { CertificateEntry, ServerNameEntry } from '#table/certificate-entry.ts';
import { Redacted } from '#table/redacted.ts';
import { nothing, type ClaimedEntry, type Context, type Translation } from './translation.ts';

/** A certificate that can be served, without the certificate: what whoever names its Secret wants to know. */
export interface CertificateFacts {
  /** The same for the same certificate, whichever Secret it is in. */
  readonly digest: string;
  /** DNS names that it is for, in lower case. The common name is none: clients do not go by it (RFC 9525). */
  readonly names: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Why a Secret has no certificate that can be served. */
export interface CertificateFault {
  readonly reason: Reason;
  readonly fault: string;
}

export interface ReadPair {
  readonly certificate: string;
  readonly privateKey: Redacted;
  readonly facts: CertificateFacts;
}

const invalid = (fault: string): CertificateFault => ({ reason: 'CertificateInvalid', fault });

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, the served one first; what OpenSSL cannot read is undefined. */
export function readChain(text: string): readonly X509Certificate[] | undefined {
  try {
    return [...text.matchAll(pemBlock)].map(([block]) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

/** Bits below which OpenSSL's default security level refuses an RSA key. */
const shortestRsaBits = 2048;

/** What keeps a certificate and a key that can both be read from being served together. */
function pairFault(leaf: X509Certificate, key: KeyObject): CertificateFault | undefined {
  try {
    if (!leaf.checkPrivateKey(key)) return invalid('data["tls.key"]: is not the key of the certificate');
    const weak = weakness(leaf);
    return weak === undefined ? undefined : invalid(`data["tls.crt"]: ${weak}`);
  } catch {
    return invalid('data["tls.crt"]: its public key is of a kind that is not supported');
  }
}

function weakness({ publicKey }: X509Certificate): string | undefined {
  const bits = publicKey.asymmetricKeyDetails?.modulusLength;
  return bits !== undefined && bits < shortestRsaBits
    ? `its RSA key has ${bits} bits, at least ${shortestRsaBits} are needed`
    : undefined;
}

/** `DNS:a.example.com, IP Address:10.0.0.1`; Node puts what holds a comma or a quote in quotes. */
function namesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  const plain = subjectAltName.replaceAll(/"(?:[^"\\]|\\.)*"/g, '');
  return [...plain.matchAll(/(?:^|, )DNS:([^,]+)/g)].map(([, name = '']) => name.toLowerCase());
}

function factsOf(certificate: string, leaf: X509Certificate): CertificateFacts {
  return {
    digest: hash('sha256', certificate, 'base64url'),
    names: namesOf(leaf),
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: leaf.validToDate.getTime(),
  };
}

function readLeaf(field: SealedField | undefined): X509Certificate | CertificateFault {
  if (field?.text === undefined) return invalid(`data["tls.crt"]: ${field?.fault ?? 'is missing'}`);
  return readChain(field.text)?.[0] ?? invalid('data["tls.crt"]: is no certificate in PEM');
}

function readKey(field: SealedField | undefined): KeyObject | CertificateFault {
  if (field?.hidden === undefined) return invalid(`data["tls.key"]: ${field?.fault ?? 'is missing'}`);
  try {
    return createPrivateKey(field.hidden.reveal());
  } catch {
    // Its message may quote what it could not read.
    return invalid('data["tls.key"]: is no private key in PEM, or has a passphrase');
  }
}

/** Reads the certificate and the key out of a sealed Secret; they must form a pair (kong-facts 4.8). */
export function readPair({ type, sealed = {} }: Secret): ReadPair | CertificateFault {
  if (type !== tlsType) return invalid(`its type is ${type ?? 'Opaque'}, expected ${tlsType}`);
  const { 'tls.crt': certificateField, 'tls.key': keyField } = sealed;
  const leaf = readLeaf(certificateField);
  if ('fault' in leaf) return leaf;
  const key = readKey(keyField);
  if ('fault' in key) return key;
  const fault = pairFault(leaf, key);
  if (fault !== undefined) return fault;
  const certificate = certificateField?.text ?? '';
  return { certificate, privateKey: hidden(keyField), facts: factsOf(certificate, leaf) };
}

/** The private key for the table: sealing hid it in a `Redacted` already. */
function hidden(field: SealedField | undefined): Redacted {
  return field?.hidden instanceof Redacted ? field.hidden : new Redacted(field?.hidden?.reveal() ?? '');
}

/** What can be said of the certificate in a Secret. Ingresses read this, so that one of its metadata re-runs none. */
export const certificateFact: Fact<CertificateFacts | CertificateFault> = {
  name: 'certificate',
  compute({ namespace, name }, view) {
    const object = view.get(secretKind, namespace, name);
    if (object === undefined) return { reason: 'SecretNotFound', fault: 'does not exist' };
    const read = readPair(object);
    return 'fault' in read ? read : read.facts;
  },
};

/** Whether an Ingress names a Secret. A fact, so that the Secret is not read anew for each that does. */
const servedFact: Fact<boolean> = {
  name: 'certificate-is-named',
  compute: ({ namespace, name }, view) => view.has(ingressesByCertificate, `${namespace}/${name}`),
};

/** Key of the entry of the certificate in a Secret. */
export function certificateKey({ namespace, name }: Pick<Ref, 'namespace' | 'name'>): string {
  return `certificate:${namespace}/${name}`;
}

/** Where a certificate is spoken of, in the problems of whoever names it. */
export interface CertificatePlace {
  readonly field?: string;
  readonly about: Ref;
}

/** A problem with the certificate in a Secret. */
export function certificateProblem(
  { reason, fault }: CertificateFault,
  place: CertificatePlace,
  effect: Effect,
): Problem {
  const { field, about } = place;
  const where = field === undefined ? formatRef(about) : `${field}: ${formatRef(about)}`;
  const message = `${where}${reason === 'SecretNotFound' ? '' : ':'} ${fault}`;
  return { reason, ...(field === undefined ? {} : { field }), about, message, effect };
}

const timeText = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

/** What time does to a certificate. It is served all the same: a client can tell, and may know better. */
export function validityProblems(
  { notBeforeMs, notAfterMs }: CertificateFacts,
  place: CertificatePlace,
): TimedProblem[] {
  const problem = (fault: string): Problem =>
    certificateProblem({ reason: 'CertificateExpired', fault }, place, 'served all the same');
  return [
    { problem: problem(`the certificate is not valid before ${timeText(notBeforeMs)}`), untilMs: notBeforeMs },
    { problem: problem(`the certificate expired at ${timeText(notAfterMs)}`), fromMs: notAfterMs },
  ];
}

/** The entry that says which certificate is for clients that name no host, or one that no Ingress has. */
function defaultName(certificate: string): ClaimedEntry {
  const entry: ServerNameEntry = { kind: 'server-name', key: 'server-name:default', host: '', certificate };
  return { entry, claims: [] };
}

const isDefault = ({ ref, settings }: Context): boolean =>
  settings.defaultCertificate?.name === ref.name && settings.defaultCertificate.namespace === ref.namespace;

const isNamed = (ref: Ref, view: View): boolean => view.fact(servedFact, ref);

/**
 * The certificate of a Secret, if anything shows it. What is wrong with it is told where it is named; of the
 * default certificate, which a flag names, on the Secret itself.
 */
export function translateCertificate(object: Secret, context: Context): Translation {
  const { ref, view } = context;
  const isShownByDefault = isDefault(context);
  if (object.type !== tlsType && !isShownByDefault) return nothing;
  if (!isShownByDefault && !isNamed(ref, view)) return nothing;
  const read = readPair(object);
  const place = { about: ref };
  if ('fault' in read) {
    const effect = 'certificate not served';
    return isShownByDefault ? { entries: [], problems: [certificateProblem(read, place, effect)] } : nothing;
  }
  const entry: CertificateEntry = {
    kind: 'certificate',
    key: certificateKey(ref),
    certificate: read.certificate,
    privateKey: read.privateKey,
    notAfterMs: read.facts.notAfterMs,
  };
  return isShownByDefault
    ? {
        entries: [{ entry, claims: [] }, defaultName(entry.key)],
        problems: [],
        timed: validityProblems(read.facts, place),
      }
    : { entries: [{ entry, claims: [] }], problems: [] };
}
