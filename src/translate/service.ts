import { flatText } from '#resources/ref.ts';
import { service, type Service } from '#resources/service.ts';
import type { Problem } from '#resources/verdict.ts';
import type { ServiceEntry } from '#table/service-entry.ts';
import { classSettings } from './ingress-class-parameters.ts';
import { annotationField, annotationReader, unsupportedAnnotations } from './annotations.ts';
import { attachedPlugins } from './plugin-references.ts';
import { portsOf, serviceTarget, targetsOf } from './targets.ts';
import type { Context, RootKind, Translation } from './translation.ts';
import { upstreamPolicyOf } from './upstream-policy.ts';
import { upstreamProtocol } from './upstream-protocol.ts';
import { refuseTls, upstreamTls } from './upstream-tls.ts';

/** The key of the entry that a port of a Service yields. */
export function serviceKey(namespace: string, name: string, port: number): string {
  return flatText('service:', namespace, '/', name, '/', String(port));
}

/** A timeout may be as long as Kong allows (kong-facts 3.6). */
const timeoutBounds = { default: 60_000, min: 1, max: 2 ** 31 - 2 };

function pathOf(text: string | undefined, problems: Problem[]): string {
  if (text === undefined || text === '') return '/';
  if (!text.includes('//') && /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/.test(text)) return text;
  const field = annotationField('konghq.com/path');
  const message = `${field}: expected a path that begins with a slash and has no two in a row`;
  problems.push({ reason: 'InvalidAnnotation', field, message, effect: 'route answers 503' });
  return '/';
}

function hostHeaderOf(text: string | undefined, problems: Problem[]): string | undefined {
  if (text === undefined || /^[A-Za-z0-9._:[\]-]+$/.test(text)) return text;
  const field = annotationField('konghq.com/host-header');
  problems.push({
    reason: 'InvalidAnnotation',
    field,
    message: `${field}: expected a host`,
    effect: 'route answers 503',
  });
  return undefined;
}

/** What the annotations of a Service say about how its endpoints are spoken to: HTTP/2 or not, and TLS. */
function protocolOf(
  object: Service,
  protocol: string | undefined,
  context: Context,
  problems: Problem[],
): Pick<ServiceEntry, 'tls' | 'isHttp2'> {
  const { isTls, isHttp2 } = upstreamProtocol(protocol, problems);
  const spoken = isHttp2 ? ({ isHttp2 } as const) : {};
  if (isTls) return { ...spoken, tls: upstreamTls(object, context, problems) };
  refuseTls(object, context, problems);
  return spoken;
}

/** Whether requests go to the Service's own address; what cannot be read may have meant either. */
function sendsToService(text: string | undefined, problems: Problem[]): boolean {
  const value = text?.toLowerCase() ?? 'false';
  if (value !== 'true' && value !== 'false') {
    const field = annotationField('ingress.kubernetes.io/service-upstream');
    const message = `${field}: expected true or false`;
    problems.push({ reason: 'InvalidAnnotation', field, message, effect: 'route answers 503' });
  }
  return value === 'true';
}

/** What all ports of a Service have in common. */
function settingsOf(
  object: Service,
  context: Context,
  problems: Problem[],
): Omit<ServiceEntry, 'key' | 'targets' | 'blocked'> {
  const annotations = annotationReader(object, problems);
  const hostHeader = hostHeaderOf(annotations.text('konghq.com/host-header'), problems);
  const policy = upstreamPolicyOf(object, context, problems);
  return {
    kind: 'service',
    ...protocolOf(object, annotations.text('konghq.com/protocol'), context, problems),
    ...(hostHeader === undefined ? {} : { hostHeader }),
    ...(policy === undefined ? {} : { policy }),
    path: pathOf(annotations.text('konghq.com/path'), problems),
    retries: annotations.integer('konghq.com/retries', { default: 5, min: 0, max: 32_767 }),
    connectTimeoutMs: annotations.integer('konghq.com/connect-timeout', timeoutBounds),
    writeTimeoutMs: annotations.integer('konghq.com/write-timeout', timeoutBounds),
    readTimeoutMs: annotations.integer('konghq.com/read-timeout', timeoutBounds),
  };
}

/** A Service: an entry a port, with the endpoints that may get requests. */
export const serviceRoot: RootKind<Service> = {
  translate(object, context): Translation {
    const problems: Problem[] = unsupportedAnnotations(object);
    const settings = settingsOf(object, context, problems);
    const isWhole =
      sendsToService(object.metadata.annotations?.['ingress.kubernetes.io/service-upstream'], problems) ||
      classSettings(context).serviceUpstream;
    const blocking = problems.find((problem) => problem.effect === 'route answers 503');
    // Its plugins close its routes one by one, in the chain of each.
    const { ref, view } = context;
    problems.push(...attachedPlugins({ ref, object, view, effect: 'route answers 503' }).problems);
    const entries = portsOf(object, context).map((port): ServiceEntry => ({
      ...settings,
      key: serviceKey(context.ref.namespace, context.ref.name, port.port),
      targets: isWhole ? [serviceTarget(object, port, context)] : targetsOf(object, port, context),
      ...(blocking === undefined ? {} : { blocked: blocking.message }),
    }));
    return { entries: entries.map((entry) => ({ entry, claims: [] })), problems };
  },
};

/** The Service that a backend names, if it exists and is valid. */
export function findService(name: string, { ref, view }: Context): Service | undefined {
  return view.get(service, ref.namespace, name);
}
