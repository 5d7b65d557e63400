import type { Ingress, IngressBackend } from '#resources/ingress.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { flatText } from '#resources/ref.ts';
import type { Problem } from '#resources/verdict.ts';
import type { PathMatch, RouteEntry } from '#table/route-entry.ts';
import { unsupportedAnnotations } from './annotations.ts';
import { isHost } from './host-name.ts';
import { foreignClass } from './ingress-class.ts';
import { classSettings } from './ingress-class-parameters.ts';
import { pathMatchOf, type PathReading, usualRegexPrefix } from './path-match.ts';
import { pluginChain } from './plugin-chain.ts';
import { rankOf } from './rank.ts';
import { rewriteFault } from './rewrite.ts';
import { routeSettings, type RouteSettings } from './route-settings.ts';
import { serverNames } from './server-names.ts';
import { findService, serviceKey } from './service.ts';
import { findPort } from './targets.ts';
import type { ClaimedEntry, Context, RootKind, Translation } from './translation.ts';

/** One host, path and backend of an Ingress, and where it stands. */
interface Place {
  readonly host: string;
  readonly match: PathMatch;
  readonly backend: IngressBackend;
  /** Path of the field that holds all of it, such as `spec.rules[0].http.paths[1]`. */
  readonly field: string;
  /** Where it stands among the others, for its key: `0/1`. */
  readonly position: string;
  /** Why requests that match it may not be served. */
  readonly fault?: string;
}

/** What its annotations and its class say of all routes of an Ingress. */
type IngressSettings = RouteSettings & PathReading;

type Rule = NonNullable<NonNullable<Ingress['spec']>['rules']>[number];

/** The hosts of a rule: its own and the aliases; of a rule without a host just the aliases, if there are any. */
function hostsOfRule(rule: Rule, r: number, aliases: readonly string[], problems: Problem[]): readonly string[] {
  const host = (rule.host ?? '').toLowerCase();
  if (host === '') return aliases.length === 0 ? [''] : aliases;
  if (isHost(host)) return [...new Set([host, ...aliases])];
  refuse(`spec.rules[${r}].host`, 'is neither a host name nor a wildcard such as *.example.com', problems);
  return [];
}

function placesOfRule(rule: Rule, r: number, settings: IngressSettings, problems: Problem[]): Place[] {
  const hosts = hostsOfRule(rule, r, settings.hostAliases, problems);
  return (rule.http?.paths ?? []).flatMap((path, p) => {
    const field = `spec.rules[${r}].http.paths[${p}]`;
    const match = pathMatchOf(path.path, path.pathType ?? 'ImplementationSpecific', settings);
    if ('fault' in match) {
      refuse(`${field}.path`, match.fault, problems);
      return [];
    }
    const fault = rewriteFault(settings.entry.rewrite, match);
    if (fault !== undefined) refuse(`${field}.path`, fault, problems, 'route answers 503');
    return hosts.map((host, h) => {
      const position = h === 0 ? `${r}/${p}` : `${r}/${p}/${h}`;
      return { host, match, backend: path.backend, field, position, ...(fault === undefined ? {} : { fault }) };
    });
  });
}

/** All places of an Ingress; those that cannot be read are told in `problems`. */
function placesOf(object: Ingress, settings: IngressSettings, problems: Problem[]): Place[] {
  const places = (object.spec?.rules ?? []).flatMap((rule, r) => placesOfRule(rule, r, settings, problems));
  const backend = object.spec?.defaultBackend;
  if (backend === undefined) return places;
  return [...places, { host: '', match: { type: 'default' }, backend, field: 'spec', position: 'default' }];
}

function refuse(
  field: string,
  fault: string,
  problems: Problem[],
  effect: Problem['effect'] = 'route not served',
): void {
  problems.push({ reason: 'InvalidObject', field, message: `${field}: ${fault}`, effect });
}

/** The key of the service entry behind a place; one that the table lacks, so that it answers 503, if broken. */
function backendOf({ backend, field, position }: Place, context: Context, problems: Problem[]): string {
  const place = position === 'default' ? 'spec.defaultBackend' : `${field}.backend`;
  const missing = `service:missing/${context.ref.namespace}/${context.ref.name}/${position}`;
  const { service } = backend;
  if (service === undefined) {
    const message = `${place}: only a Service can be a backend`;
    problems.push({ reason: 'NotSupported', field: place, message, effect: 'route answers 503' });
    return missing;
  }
  const about = { kind: 'Service', namespace: context.ref.namespace, name: service.name };
  const object = findService(service.name, context);
  if (object === undefined) {
    const name = `${place}.service.name`;
    const message = `${name}: there is no valid Service ${about.namespace}/${about.name}`;
    problems.push({ reason: 'ServiceNotFound', field: name, about, message, effect: 'route answers 503' });
    return missing;
  }
  const port = findPort(object, service.port);
  if (port === undefined) {
    const name = `${place}.service.port`;
    const wanted = service.port?.number ?? service.port?.name ?? '(none)';
    const message = `${name}: Service ${about.namespace}/${about.name} has no port ${wanted}`;
    problems.push({ reason: 'ServicePortNotFound', field: name, about, message, effect: 'route answers 503' });
    return missing;
  }
  return serviceKey(about.namespace, about.name, port.port);
}

function serviceOf(backend: IngressBackend, context: Context): KubernetesObject | undefined {
  return backend.service === undefined ? undefined : findService(backend.service.name, context);
}

/** What else two routes of one host and path may differ in, so that both are wanted. */
function conditionsOf({ methods, headers, snis }: Pick<RouteEntry, 'methods' | 'headers' | 'snis'>): string {
  if (methods === undefined && headers === undefined && snis === undefined) return '';
  return `|${JSON.stringify([methods?.toSorted(), headers, snis?.toSorted()])}`;
}

function claimed(
  route: Omit<RouteEntry, 'rank'>,
  place: Place,
  object: KubernetesObject,
  context: Context,
): ClaimedEntry {
  const value = 'value' in place.match ? place.match.value : '';
  const position = place.position.replaceAll(/\d+/g, (digits) => digits.padStart(4, '0'));
  const what =
    place.match.type === 'default'
      ? 'the default backend'
      : `host ${place.host === '' ? '(any)' : place.host} with ${place.match.type} path ${value}`;
  const rank = flatText(rankOf(context.ref, object), '|', position);
  const entry: RouteEntry = { ...route, rank };
  const claim = {
    key: flatText('route:', place.host, '|', place.match.type, '|', value, conditionsOf(route)),
    owner: entry.key,
    rank,
    what,
    field: place.field,
    holder: context.ref,
    effect: 'route not served' as const,
  };
  return { entry, claims: [claim] };
}

function routeOf(
  place: Place,
  settings: RouteSettings['entry'],
  { ref }: Context,
): Omit<RouteEntry, 'service' | 'plugins' | 'rank'> {
  return {
    kind: 'route',
    key: flatText('route:', ref.namespace, '/', ref.name, '/', place.position),
    name: flatText(ref.namespace, '/', ref.name),
    host: place.host,
    path: place.match,
    ...settings,
    ...(place.fault === undefined ? {} : { blocked: place.fault }),
  };
}

function translateIngress(object: Ingress, context: Context): Translation {
  const problems: Problem[] = unsupportedAnnotations(object);
  const hasLegacyRegexes = classSettings(context).enableLegacyRegexDetection;
  const settings = { ...routeSettings(object, problems), hasLegacyRegexes };
  const chainProblems = new Map<string, Problem>();
  const entries = placesOf(object, settings, problems).map((place) => {
    const chain = pluginChain(object, serviceOf(place.backend, context), context);
    for (const problem of chain.problems) chainProblems.set(problem.message, problem);
    const service = backendOf(place, context, problems);
    return claimed(
      { ...routeOf(place, settings.entry, context), service, plugins: chain.plugins },
      place,
      object,
      context,
    );
  });
  const tls = serverNames(object, context);
  return {
    ...tls,
    entries: [...entries, ...tls.entries],
    problems: [...problems, ...chainProblems.values(), ...tls.problems],
  };
}

const asRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/**
 * The hosts and paths that can still be made out in an Ingress which fails its schema. They answer 503:
 * gone altogether, what they guarded would fall to whatever broader route stands behind them.
 */
function closedPlaces(object: KubernetesObject, reading: PathReading): Place[] {
  return asList(asRecord(object['spec'])['rules']).flatMap((rule, r) => {
    const host = asRecord(rule)['host'] ?? '';
    if (typeof host !== 'string') return [];
    return asList(asRecord(asRecord(rule)['http'])['paths']).flatMap((item, p) => {
      const { path = '/', pathType } = asRecord(item);
      if (typeof path !== 'string') return [];
      const match = pathMatchOf(path, typeof pathType === 'string' ? pathType : 'Prefix', reading);
      const field = `spec.rules[${r}].http.paths[${p}]`;
      return 'fault' in match ? [] : [{ host: host.toLowerCase(), match, backend: {}, field, position: `${r}/${p}` }];
    });
  });
}

/** An Ingress: a route for each host and path. */
export const ingressRoot: RootKind<Ingress> = {
  translate(object, context) {
    const foreign = foreignClass(object, context, object.spec?.ingressClassName);
    return foreign === undefined ? translateIngress(object, context) : { entries: [], problems: [], notOurs: foreign };
  },
  translateInvalid(object, context) {
    const specClass = asRecord(object['spec'])['ingressClassName'];
    const annotations = asRecord(asRecord(object.metadata)['annotations']);
    const isReadable = Object.values(annotations).every((value) => typeof value === 'string');
    const readable = isReadable ? object : { ...object, metadata: { name: context.ref.name } };
    if (foreignClass(readable, context, typeof specClass === 'string' ? specClass : undefined) !== undefined) return [];
    const settings = { stripPath: false, preserveHost: true, blocked: 'the Ingress fails its schema' };
    const { enableLegacyRegexDetection: hasLegacyRegexes } = classSettings(context);
    return closedPlaces(object, { regexPrefix: usualRegexPrefix, hasLegacyRegexes }).map((place) => {
      const entry = { ...routeOf(place, settings, context), service: '', plugins: [] };
      return claimed(entry, place, readable, context);
    });
  },
};
