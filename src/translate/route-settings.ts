import { listedItems } from '#resources/annotations.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Problem } from '#resources/verdict.ts';
import type { RouteEntry, RouteProtocol } from '#table/route-entry.ts';
import { annotationField, annotationReader, type AnnotationReader } from './annotations.ts';
import { admittedBy, admittedNamespaces } from './consumer-namespaces.ts';
import { isHost } from './host-name.ts';
import { usualRegexPrefix } from './path-match.ts';
import { routeHeaders } from './route-headers.ts';
import { parseSize } from './size.ts';

/** What the annotations of an Ingress say of all its routes. */
export interface RouteSettings {
  readonly entry: Pick<
    RouteEntry,
    | 'stripPath'
    | 'preserveHost'
    | 'methods'
    | 'headers'
    | 'snis'
    | 'regexPriority'
    | 'protocols'
    | 'httpsRedirectStatus'
    | 'pathHandling'
    | 'rewrite'
    | 'buffers'
    | 'admits'
    | 'blocked'
  >;
  /** Hosts that every rule has besides its own. */
  readonly hostAliases: readonly string[];
  readonly regexPrefix: string;
}

/** Reads annotations of one Ingress; what cannot be read is told. */
interface Reading {
  readonly annotations: AnnotationReader;
  /** Tells of an annotation that would make routes narrower, so that they must be closed without it. */
  close(name: string, fault: string): void;
  /** Tells of an annotation that is not followed. */
  ignore(name: string, fault: string): void;
}

const protocols: readonly string[] = ['http', 'https', 'grpc', 'grpcs'];
const redirectStatuses = [301, 302, 307, 308] as const;
const protocolsAnnotation = 'konghq.com/protocols';
const redirectAnnotation = 'konghq.com/https-redirect-status-code';

/** A list all of whose items must be good: with one that is not, nobody knows what the author wants. */
function checkedList(
  reading: Reading,
  name: string,
  { adapt, isGood, expected }: { adapt: (item: string) => string; isGood: (item: string) => boolean; expected: string },
): string[] | undefined {
  const items = [...new Set(listedItems(reading.annotations.text(name)).map(adapt))];
  const bad = items.find((item) => !isGood(item));
  if (bad === undefined) return items.length === 0 ? undefined : items;
  reading.close(name, `${bad}: expected ${expected}`);
  return undefined;
}

const lower = (text: string): string => text.toLowerCase();

function methodsOf(reading: Reading): string[] | undefined {
  return checkedList(reading, 'konghq.com/methods', {
    adapt: (item) => item.toUpperCase(),
    isGood: (item) => /^[A-Z]+$/.test(item),
    expected: 'methods of letters alone, such as GET',
  });
}

function hostsOf(reading: Reading, name: string): string[] | undefined {
  return checkedList(reading, name, {
    adapt: lower,
    isGood: isHost,
    expected: 'host names or wildcards such as *.example.com',
  });
}

/** Protocols as they are stated, or those that force-ssl-redirect means; undefined for http and https. */
function protocolsOf(reading: Reading): RouteProtocol[] | undefined {
  const listed = checkedList(reading, protocolsAnnotation, {
    adapt: lower,
    isGood: (item) => protocols.includes(item),
    expected: `some of ${protocols.join(', ')}`,
  });
  const isForced = reading.annotations.boolean('ingress.kubernetes.io/force-ssl-redirect', { default: false });
  const wanted = listed ?? (isForced ? ['https'] : undefined);
  if (wanted === undefined || (wanted.includes('http') && wanted.includes('https'))) return undefined;
  return wanted as RouteProtocol[];
}

function redirectOf(reading: Reading): RouteEntry['httpsRedirectStatus'] {
  const isForced = reading.annotations.boolean('ingress.kubernetes.io/force-ssl-redirect', { default: false });
  const text = reading.annotations.text(redirectAnnotation);
  if (text === undefined || text === '') return isForced ? 302 : undefined;
  if (text === '426') return undefined;
  const status = redirectStatuses.find((candidate) => String(candidate) === text);
  if (status === undefined) reading.ignore(redirectAnnotation, `expected 301, 302, 307, 308 or 426, so 426 is used`);
  return status;
}

function pathHandlingOf(reading: Reading): 'v1' | undefined {
  const name = 'konghq.com/path-handling';
  const text = reading.annotations.text(name);
  if (text === 'v1') return 'v1';
  if (text !== undefined && text !== '' && text !== 'v0') reading.ignore(name, 'expected v0 or v1, so v0 is used');
  return undefined;
}

function buffersOf({ annotations }: Reading): RouteEntry['buffers'] {
  const request = annotations.boolean('konghq.com/request-buffering', { default: false });
  const response = annotations.boolean('konghq.com/response-buffering', { default: false });
  return request || response ? { request, response } : undefined;
}

/** The template of `konghq.com/rewrite`; an empty one stands for `/`. */
function rewriteOf(reading: Reading): string | undefined {
  const name = 'konghq.com/rewrite';
  const text = reading.annotations.text(name);
  if (text === undefined) return undefined;
  if (text === '') return '/';
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (text.startsWith('/') && !/[\u0000-\u0020\u007f?#]/.test(text)) {
    return text.toWellFormed().replaceAll(/[^\0-\u007f]+/gu, encodeURIComponent);
  }
  reading.close(name, 'expected a path that begins with a slash, without a query');
  return undefined;
}

/** A limit that cannot be read closes the routes: without it they would take in what they should not. */
function bodySizeOf(reading: Reading): number | undefined {
  const name = 'latchkey.dev/client-max-body-size';
  const text = reading.annotations.text(name);
  const bytes = text === undefined ? undefined : parseSize(text);
  if (text !== undefined && bytes === undefined) reading.close(name, 'expected a size such as 512k, 10m or 0');
  return bytes;
}

function regexPrefixOf(reading: Reading): string {
  const name = 'konghq.com/regex-prefix';
  const text = reading.annotations.text(name);
  if (text === undefined || text === '') return usualRegexPrefix;
  if (text.startsWith('/')) return text;
  reading.close(name, 'expected a text that begins with a slash, as every path does');
  return usualRegexPrefix;
}

function admittedOf(object: KubernetesObject, problems: Problem[]): readonly string[] | undefined {
  const { admits, problems: faults } = admittedNamespaces(object, 'route answers 503');
  problems.push(...faults);
  return admits === undefined ? undefined : admittedBy(admits, object.metadata.namespace ?? 'default');
}

function readingOf(object: KubernetesObject, problems: Problem[]): Reading {
  const tell = (effect: Problem['effect']) => (name: string, fault: string) => {
    const field = annotationField(name);
    problems.push({ reason: 'InvalidAnnotation', field, message: `${field}: ${fault}`, effect });
  };
  return {
    annotations: annotationReader(object, problems),
    close: tell('route answers 503'),
    ignore: tell('field ignored'),
  };
}

/** Without the fields that are undefined: there may be a hundred thousand routes. */
function stated<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

/** Whether only gRPC is wanted, whose paths name services and methods: nothing is stripped off them (kong-facts 3.6). */
const isForGrpcAlone = (wanted: readonly RouteProtocol[] | undefined): boolean =>
  wanted !== undefined && !wanted.includes('http') && !wanted.includes('https');

/** Reads all that the annotations say of the routes of an Ingress (kong-facts 4.5). */
export function routeSettings(object: KubernetesObject, problems: Problem[]): RouteSettings {
  const reading = readingOf(object, problems);
  const { annotations } = reading;
  const wanted = protocolsOf(reading);
  const headers = routeHeaders(object, problems);
  const priority = annotations.integer('konghq.com/regex-priority', { default: 0, min: 0, max: 2 ** 31 - 2 });
  const fields = {
    stripPath: annotations.boolean('konghq.com/strip-path', { default: false }) && !isForGrpcAlone(wanted),
    preserveHost: annotations.boolean('konghq.com/preserve-host', { default: true }),
    methods: methodsOf(reading),
    headers: headers.length === 0 ? undefined : headers,
    snis: hostsOf(reading, 'konghq.com/snis'),
    regexPriority: priority === 0 ? undefined : priority,
    protocols: wanted,
    httpsRedirectStatus: redirectOf(reading),
    pathHandling: pathHandlingOf(reading),
    rewrite: rewriteOf(reading),
    buffers: buffersOf(reading),
    maxBodyBytes: bodySizeOf(reading),
    admits: admittedOf(object, problems),
  };
  const hostAliases = hostsOf(reading, 'konghq.com/host-aliases') ?? [];
  const regexPrefix = regexPrefixOf(reading);
  const blocking = problems.find((problem) => problem.effect === 'route answers 503');
  return {
    entry: stated({ ...fields, blocked: blocking?.message }) as RouteSettings['entry'],
    hostAliases,
    regexPrefix,
  };
}
