import { upstreamPolicyAnnotation } from '#resources/annotations.ts';
import { kongUpstreamPolicy, type KongUpstreamPolicy } from '#resources/kong-upstream-policy.ts';
import type { Service } from '#resources/service.ts';
import type { Problem } from '#resources/verdict.ts';
import type { HashInput, HealthThresholds, ActiveChecks, UpstreamPolicy } from '#table/upstream-policy.ts';
import { annotationField, annotationReader, type AnnotationReader } from './annotations.ts';
import type { Context } from './translation.ts';

type Spec = NonNullable<KongUpstreamPolicy['spec']>;
type Hash = NonNullable<Spec['hashOn']>;
type Checks = NonNullable<Spec['healthchecks']>;
type Active = NonNullable<Checks['active']>;
type Passive = NonNullable<Checks['passive']>;

/** What a policy comes to, and what of it cannot be had. */
export interface ReadPolicy {
  readonly policy: UpstreamPolicy;
  readonly problems: readonly Problem[];
}

/** Defaults of Kong's upstream (kong-facts 3.6). */
const defaultSlots = 10_000;
const activeStatuses = { healthy: [200, 302], unhealthy: [429, 404, 500, 501, 502, 503, 504, 505] };
const passiveStatuses = {
  healthy: [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308],
  unhealthy: [429, 500, 503],
};

const slowStartAnnotation = 'latchkey.dev/slow-start';

/** RFC 9110 section 5.6.2: what a header's or a cookie's name may be made of. */
const tokenPattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

function refuse(field: string, expected: string): Problem {
  return { reason: 'InvalidObject', field, message: `${field}: expected ${expected}`, effect: 'field ignored' };
}

function unsupported(field: string, message: string): Problem {
  return { reason: 'NotSupported', field, message: `${field}: ${message}`, effect: 'field ignored' };
}

function cookieOf({ cookie = '', cookiePath = '/' }: Hash, problems: Problem[]): HashInput[] {
  if (!tokenPattern.test(cookie)) problems.push(refuse('spec.hashOn.cookie', 'the name of a cookie'));
  else if (!/^\/[^;\s\p{Cc}]*$/u.test(cookiePath)) problems.push(refuse('spec.hashOn.cookiePath', 'a path'));
  else return [{ from: 'cookie', name: cookie, path: cookiePath }];
  return [];
}

function hashInputs(hash: Hash | undefined, place: 'hashOn' | 'hashOnFallback', problems: Problem[]): HashInput[] {
  if (hash === undefined) return [];
  const { input, header, queryArg, uriCapture } = hash;
  if (hash.cookie !== undefined) return place === 'hashOn' ? cookieOf(hash, problems) : refuseFallback(problems);
  if (header !== undefined && !tokenPattern.test(header)) {
    problems.push(refuse(`spec.${place}.header`, 'the name of a header'));
    return [];
  }
  if (header !== undefined) return [{ from: 'header', name: header }];
  if (queryArg !== undefined) return [{ from: 'query-arg', name: queryArg }];
  if (uriCapture !== undefined) return [{ from: 'uri-capture', name: uriCapture }];
  return input === undefined || input === 'none' ? [] : [{ from: input }];
}

function refuseFallback(problems: Problem[]): HashInput[] {
  problems.push(refuse('spec.hashOnFallback.cookie', 'another input: every request has a cookie that it is given'));
  return [];
}

function thresholdsOf(checks: Active | Passive, statuses: typeof activeStatuses): HealthThresholds {
  const { healthy = {}, unhealthy = {} } = checks;
  return {
    healthyStatuses: healthy.httpStatuses ?? statuses.healthy,
    successes: healthy.successes ?? 0,
    unhealthyStatuses: unhealthy.httpStatuses ?? statuses.unhealthy,
    httpFailures: unhealthy.httpFailures ?? 0,
    tcpFailures: unhealthy.tcpFailures ?? 0,
    timeouts: unhealthy.timeouts ?? 0,
  };
}

/** Headers of a probe as a flat list; one that no request may have is left out and told. */
function probeHeaders(headers: Active['headers'], problems: Problem[]): string[] {
  return Object.entries(headers ?? {}).flatMap(([name, values]) => {
    const isSendable = tokenPattern.test(name) && values.every((value) => /^[\t\x20-\x7e]*$/.test(value));
    if (isSendable) return values.flatMap((value) => [name, value]);
    problems.push(refuse(`spec.healthchecks.active.headers["${name}"]`, 'a header that can be sent'));
    return [];
  });
}

function probePath(path: string | undefined, problems: Problem[]): string {
  if (path === undefined || /^\/[\x21-\x7e]*$/.test(path)) return path ?? '/';
  problems.push(refuse('spec.healthchecks.active.httpPath', 'a path without spaces and as it is sent, so / is asked'));
  return '/';
}

const milliseconds = (seconds: number | undefined): number => Math.min((seconds ?? 0) * 1000, 2 ** 31 - 1);

const intervalsOf = ({ healthy, unhealthy }: Active) => ({
  healthyIntervalMs: milliseconds(healthy?.interval),
  unhealthyIntervalMs: milliseconds(unhealthy?.interval),
});

function activeOf(active: Active | undefined, problems: Problem[]): ActiveChecks | undefined {
  if (active === undefined) return undefined;
  const { type = 'http', timeout = 1 } = active;
  if (type === 'grpc' || type === 'grpcs') {
    problems.push(unsupported('spec.healthchecks.active.type', `${type} is not supported yet: nothing is probed`));
    return undefined;
  }
  const intervals = intervalsOf(active);
  if (intervals.healthyIntervalMs + intervals.unhealthyIntervalMs === 0) return undefined;
  return {
    ...thresholdsOf(active, activeStatuses),
    type,
    ...intervals,
    timeoutMs: milliseconds(timeout === 0 ? 1 : timeout),
    concurrency: active.concurrency ?? 10,
    path: probePath(active.httpPath, problems),
    headers: probeHeaders(active.headers, problems),
    ...(active.httpsSni === undefined ? {} : { sni: active.httpsSni }),
    verifiesCertificate: active.httpsVerifyCertificate ?? true,
  };
}

function passiveOf(passive: Passive | undefined, problems: Problem[]): HealthThresholds | undefined {
  if (passive === undefined) return undefined;
  const { type = 'http' } = passive;
  if (type === 'grpc' || type === 'grpcs') {
    problems.push(unsupported('spec.healthchecks.passive.type', `${type} is not supported yet: nothing is counted`));
    return undefined;
  }
  const all = thresholdsOf(passive, passiveStatuses);
  const thresholds = type === 'tcp' ? { ...all, httpFailures: 0 } : all;
  return thresholds.httpFailures + thresholds.tcpFailures + thresholds.timeouts === 0 ? undefined : thresholds;
}

function algorithmOf(spec: Spec, problems: Problem[]): UpstreamPolicy['algorithm'] {
  if (spec.algorithm !== 'sticky-sessions') return spec.algorithm ?? 'round-robin';
  const message = 'sticky-sessions is not supported yet: endpoints get requests in turn';
  problems.push(unsupported('spec.algorithm', message));
  return 'round-robin';
}

/** What a valid policy says (kong-facts 4.1); fields that are absent have the defaults of Kong's upstream (3.6). */
export function readPolicy({ spec = {} }: Pick<KongUpstreamPolicy, 'spec'>): ReadPolicy {
  const problems: Problem[] = [];
  const { healthchecks = {} } = spec;
  const active = activeOf(healthchecks.active, problems);
  const passive = passiveOf(healthchecks.passive, problems);
  const policy: UpstreamPolicy = {
    algorithm: algorithmOf(spec, problems),
    slots: spec.slots ?? defaultSlots,
    hashOn: [
      ...hashInputs(spec.hashOn, 'hashOn', problems),
      ...hashInputs(spec.hashOnFallback, 'hashOnFallback', problems),
    ],
    threshold: healthchecks.threshold ?? 0,
    ...(active === undefined ? {} : { active }),
    ...(passive === undefined ? {} : { passive }),
  };
  return { policy, problems };
}

/**
 * The policy that a Service names, with its slow start, which Kong's policies know nothing of. One that cannot be had
 * guards nothing, so the Service is served as if it named none, and told.
 */
export function upstreamPolicyOf(object: Service, context: Context, problems: Problem[]): UpstreamPolicy | undefined {
  const slowStart = slowStartOf(annotationReader(object, problems));
  const named = namedPolicy(object, context, problems);
  if (slowStart.slowStartMs === undefined) return named;
  const policy = named ?? readPolicy({}).policy;
  if (policy.algorithm !== 'consistent-hashing') return { ...policy, ...slowStart };
  const message = 'means nothing with consistent-hashing, where what is hashed decides';
  problems.push(unsupported(annotationField(slowStartAnnotation), message));
  return policy;
}

function slowStartOf(annotations: AnnotationReader): Pick<UpstreamPolicy, 'slowStartMs'> {
  const seconds = annotations.integer(slowStartAnnotation, { default: 0, min: 0, max: 86_400 });
  return seconds === 0 ? {} : { slowStartMs: seconds * 1_000 };
}

function namedPolicy(object: Service, context: Context, problems: Problem[]): UpstreamPolicy | undefined {
  const name = (object.metadata.annotations?.[upstreamPolicyAnnotation] ?? '').trim();
  if (name === '') return undefined;
  const { namespace } = context.ref;
  const found = context.view.get(kongUpstreamPolicy, namespace, name);
  if (found !== undefined) return readPolicy(found).policy;
  const field = annotationField(upstreamPolicyAnnotation);
  const about = { kind: kongUpstreamPolicy.kind, namespace, name };
  const message = `${field}: there is no valid KongUpstreamPolicy ${namespace}/${name}, so endpoints get requests in turn`;
  problems.push({ reason: 'UpstreamPolicyNotFound', field, about, message, effect: 'field ignored' });
  return undefined;
}
