import { hash } from 'node:crypto';
import { listedItems } from '#resources/annotations.ts';
import { caFields, configMap, isLabelled as isConfigMapLabelled } from '#resources/config-map.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Reason } from '#resources/reasons.ts';
import { formatRef, type Ref } from '#resources/ref.ts';
import { caLabel, secret } from '#resources/secret.ts';
import type { Problem } from '#resources/verdict.ts';
import type { UpstreamTls } from '#table/service-entry.ts';
import { annotationField } from './annotations.ts';
import { readChain, readPair } from './certificate.ts';
import type { Context } from './translation.ts';

/** The annotations that have a meaning over TLS alone (kong-facts 4.5). */
const names = {
  clientCert: 'konghq.com/client-cert',
  verify: 'konghq.com/tls-verify',
  depth: 'konghq.com/tls-verify-depth',
  caSecrets: 'konghq.com/ca-certificates-secrets',
  caConfigMaps: 'konghq.com/ca-certificates-configmaps',
} as const;

/** As nginx has it when nobody says otherwise: proxy_ssl_verify_depth. */
const defaultDepth = 1;
/** Kong's bound of `tls_verify_depth`. */
const longestDepth = 64;

/** Reads the annotations of one Service; every problem closes its routes. */
interface Reading {
  readonly annotations: Readonly<Record<string, string>>;
  readonly context: Context;
  readonly problems: Problem[];
}

function refuse({ problems }: Reading, annotation: string, about: { fault: string; reason?: Reason; ref?: Ref }): void {
  const field = annotationField(annotation);
  problems.push({
    reason: about.reason ?? 'InvalidAnnotation',
    field,
    ...(about.ref === undefined ? {} : { about: about.ref }),
    message: `${field}: ${about.fault}`,
    effect: 'route answers 503',
  });
}

function textOf({ annotations }: Reading, name: string): string | undefined {
  const text = annotations[name]?.trim();
  return text === '' ? undefined : text;
}

/** Unset means unverified, as in Kong (tls_certificate_verify is off); what cannot be read may have meant true. */
function isVerified(reading: Reading): boolean {
  const text = textOf(reading, names.verify)?.toLowerCase();
  if (text !== undefined && text !== 'true' && text !== 'false') {
    refuse(reading, names.verify, { fault: 'expected true or false' });
  }
  return text === 'true';
}

function depthOf(reading: Reading): number {
  const text = textOf(reading, names.depth);
  if (text === undefined) return defaultDepth;
  const depth = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (depth <= longestDepth) return depth;
  refuse(reading, names.depth, { fault: `expected a whole number from 0 to ${longestDepth}` });
  return 0;
}

/** The certificates of CAs in a text, or what is wrong with them. */
function caFault(text: string | undefined): string | undefined {
  if (text === undefined) return `has none of the fields ${caFields.join(', ')}`;
  const chain = readChain(text);
  if (chain === undefined || chain.length === 0) return 'is no certificate in PEM';
  return chain.every((certificate) => certificate.ca) ? undefined : 'is not the certificate of a CA';
}

/** Where the certificate of a CA stands. */
interface CaPlace {
  readonly annotation: string;
  readonly ref: Ref;
  readonly object: KubernetesObject | undefined;
  readonly isLabelled: boolean;
  readonly text: string | undefined;
}

function caAt(place: CaPlace, reading: Reading): string[] {
  const { annotation, ref, object, text } = place;
  const absent: Reason = ref.kind === 'Secret' ? 'SecretNotFound' : 'ConfigMapNotFound';
  const notLabelled = place.isLabelled ? undefined : `is not labelled ${caLabel}: "true"`;
  const fault = object === undefined ? 'does not exist' : (notLabelled ?? caFault(text));
  if (fault === undefined) return [text ?? ''];
  const reason = object === undefined ? absent : 'CertificateInvalid';
  refuse(reading, annotation, { reason, ref, fault: `${formatRef(ref)} ${fault}` });
  return [];
}

function secretCa(name: string, reading: Reading): string[] {
  const { view, ref } = reading.context;
  const object = view.get(secret, ref.namespace, name);
  const text = caFields.map((field) => object?.sealed?.[field]?.text).find((found) => found !== undefined);
  const isLabelled = object?.metadata.labels?.[caLabel] === 'true';
  const about = { kind: 'Secret', namespace: ref.namespace, name };
  return caAt({ annotation: names.caSecrets, ref: about, object, isLabelled, text }, reading);
}

function configMapCa(name: string, reading: Reading): string[] {
  const { view, ref } = reading.context;
  const object = view.get(configMap, ref.namespace, name);
  const text = caFields.map((field) => object?.data?.[field]).find((found) => found !== undefined);
  const isLabelled = isConfigMapLabelled(object?.metadata.labels);
  const about = { kind: 'ConfigMap', namespace: ref.namespace, name };
  return caAt({ annotation: names.caConfigMaps, ref: about, object, isLabelled, text }, reading);
}

function clientOf(reading: Reading): UpstreamTls['client'] {
  const name = textOf(reading, names.clientCert);
  if (name === undefined) return undefined;
  const { view, ref } = reading.context;
  const about = { kind: 'Secret', namespace: ref.namespace, name };
  const object = view.get(secret, ref.namespace, name);
  const read =
    object === undefined ? ({ reason: 'SecretNotFound', fault: 'does not exist' } as const) : readPair(object);
  if (!('fault' in read)) return { certificate: read.certificate, privateKey: read.privateKey };
  refuse(reading, names.clientCert, { reason: read.reason, ref: about, fault: `${formatRef(about)}: ${read.fault}` });
  return undefined;
}

/** Settings that nothing would come of: whoever wrote them means to be safe and would not be. */
function refuseUseless(reading: Reading, useless: readonly string[], why: string): void {
  for (const name of useless) if (textOf(reading, name) !== undefined) refuse(reading, name, { fault: why });
}

function identified(settings: Omit<UpstreamTls, 'id'>): UpstreamTls {
  const { isVerified: verified, depth, ca, client } = settings;
  const text = JSON.stringify([verified, depth, ca, client?.certificate, client?.privateKey.mark]);
  return { id: hash('sha256', text, 'base64url'), ...settings };
}

/** How the endpoints of a Service are spoken to over TLS. */
export function upstreamTls(object: KubernetesObject, context: Context, problems: Problem[]): UpstreamTls {
  const reading = { annotations: object.metadata.annotations ?? {}, context, problems };
  const verified = isVerified(reading);
  const client = clientOf(reading);
  const depth = depthOf(reading);
  if (!verified) {
    refuseUseless(
      reading,
      [names.depth, names.caSecrets, names.caConfigMaps],
      `has a meaning with ${names.verify}: "true" alone`,
    );
    return identified({ isVerified: false, depth, ...(client === undefined ? {} : { client }) });
  }
  const cas = [
    ...listedItems(textOf(reading, names.caSecrets)).flatMap((name) => secretCa(name, reading)),
    ...listedItems(textOf(reading, names.caConfigMaps)).flatMap((name) => configMapCa(name, reading)),
  ];
  const ca = cas.length === 0 ? {} : { ca: cas.join('\n') };
  return identified({ isVerified: true, depth, ...ca, ...(client === undefined ? {} : { client }) });
}

/** Says of each annotation about TLS on a Service that is spoken to without it that it cannot be honoured. */
export function refuseTls(object: KubernetesObject, context: Context, problems: Problem[]): void {
  const annotations = { ...object.metadata.annotations };
  // Nothing is verified without TLS, and this asks for nothing else.
  if (annotations[names.verify]?.trim().toLowerCase() === 'false') delete annotations[names.verify];
  const reading = { annotations, context, problems };
  refuseUseless(reading, Object.values(names), 'has a meaning with konghq.com/protocol https or wss alone');
}
