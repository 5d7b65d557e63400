import { service, type Service } from '#resources/service.ts';
import type { Problem } from '#resources/verdict.ts';
import type { ServiceEntry } from '#table/service-entry.ts';
import { annotationField, annotationReader, unsupportedAnnotations } from './annotations.ts';
import { attachedPlugins } from './plugin-references.ts';
import { portsOf, targetsOf } from './targets.ts';
import type { Context, RootKind, Translation } from './translation.ts';
import { upstreamPolicyOf } from './upstream-policy.ts';

/** The key of the entry that a port of a Service yields. */
export function serviceKey(namespace: string, name: string, port: number): string {
  return `service:${namespace}/${name}/${port}`;
}

/** A timeout may be as long as Kong allows (kong-facts 3.6). */
const timeoutBounds = { default: 60_000, min: 1, max: 2 ** 31 - 2 };

function pathOf(text: string | undefined, problems: Problem[]): string {
  if (text === undefined || text === '') return '/';
  if (/^\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/.test(text)) return text;
  const field = annotationField('konghq.com/path');
  const message = `${field}: expected a path that begins with a slash`;
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

function checkProtocol(protocol: string | undefined, problems: Problem[]): void {
  if (protocol === undefined || protocol === 'http') return;
  const field = annotationField('konghq.com/protocol');
  const message = `${field}: ${protocol} is not supported yet, only http`;
  problems.push({ reason: 'NotSupported', field, message, effect: 'route answers 503' });
}

/** A Service: an entry a port, with the endpoints that are ready. */
export const serviceRoot: RootKind<Service> = {
  translate(object, context): Translation {
    const problems: Problem[] = unsupportedAnnotations(object);
    const annotations = annotationReader(object, problems);
    checkProtocol(annotations.text('konghq.com/protocol'), problems);
    const hostHeader = hostHeaderOf(annotations.text('konghq.com/host-header'), problems);
    const policy = upstreamPolicyOf(object, context, problems);
    const common = {
      kind: 'service' as const,
      ...(hostHeader === undefined ? {} : { hostHeader }),
      ...(policy === undefined ? {} : { policy }),
      path: pathOf(annotations.text('konghq.com/path'), problems),
      retries: annotations.integer('konghq.com/retries', { default: 5, min: 0, max: 32_767 }),
      connectTimeoutMs: annotations.integer('konghq.com/connect-timeout', timeoutBounds),
      writeTimeoutMs: timeoutBounds.default,
      readTimeoutMs: annotations.integer('konghq.com/read-timeout', timeoutBounds),
    };
    const blocking = problems.find((problem) => problem.effect === 'route answers 503');
    // Its plugins close its routes one by one, in the chain of each.
    const { ref, view } = context;
    problems.push(...attachedPlugins({ ref, object, view, effect: 'route answers 503' }).problems);
    const entries = portsOf(object, context).map((port): ServiceEntry => ({
      ...common,
      key: serviceKey(context.ref.namespace, context.ref.name, port.port),
      targets: targetsOf(object, port, context),
      ...(blocking === undefined ? {} : { blocked: blocking.message }),
    }));
    return { entries: entries.map((entry) => ({ entry, claims: [] })), problems };
  },
};

/** The Service that a backend names, if it exists and is valid. */
export function findService(name: string, { ref, view }: Context): Service | undefined {
  return view.get(service, ref.namespace, name);
}
