import type { EndpointSlice } from '#resources/endpoint-slice.ts';
import type { Ingress } from '#resources/ingress.ts';
import type { Service, ServicePort } from '#resources/service.ts';
import { ingressesByService, slicesByService } from '#store/indexes.ts';
import type { Target } from '#table/service-entry.ts';
import type { Context } from './translation.ts';

type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];

/**
 * Unknown means ready, and unknown means serving
 * (https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/).
 */
const isReady = (endpoint: Endpoint): boolean => endpoint.conditions?.ready ?? true;

/** An endpoint that is going away and still answers. */
const isLeaving = (endpoint: Endpoint): boolean =>
  endpoint.conditions?.terminating === true && (endpoint.conditions.serving ?? true);

/** Whether a port takes TCP, the only protocol that HTTP is spoken over here; so it is when none is named. */
const isTcp = (port: { readonly protocol?: string | null }): boolean => (port.protocol ?? 'TCP') === 'TCP';

/** The endpoints of a slice that `takes`, at the port of the Service. */
function sliceTargets(slice: EndpointSlice, port: ServicePort, takes: (endpoint: Endpoint) => boolean): Target[] {
  // A slice's port carries the name of the Service's port; the only port of a Service may have none.
  const found = (slice.ports ?? []).find(
    (candidate) => (candidate.name ?? '') === (port.name ?? '') && isTcp(candidate),
  );
  const number = found?.port ?? undefined;
  if (number === undefined) return [];
  const named = slice.addressType === 'FQDN' ? { isName: true as const } : {};
  // The addresses of one endpoint lead to the same place: the first will do.
  return (slice.endpoints ?? [])
    .filter(takes)
    .flatMap(({ addresses: [host] }) => (host === undefined ? [] : [{ host, port: number, ...named }]));
}

/** Each target once, in an order that does not depend on the slices' own. */
function distinct(targets: readonly Target[]): Target[] {
  const unique = new Map(targets.map((target) => [`${target.host} ${target.port}`, target]));
  return [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, target]) => target);
}

function externalTargets({ spec }: Service, { port }: ServicePort): Target[] {
  const host = spec?.externalName ?? '';
  return host === '' ? [] : [{ host, port, isName: true }];
}

/**
 * The Service itself, which whatever routes for it in the cluster hands on to an endpoint: by its address, and
 * by its name in DNS where it has none (a headless one, or one in a directory).
 */
export function serviceTarget(object: Service, port: ServicePort, { ref, settings }: Context): Target {
  const [external] = object.spec?.type === 'ExternalName' ? externalTargets(object, port) : [];
  const address = object.spec?.clusterIP ?? '';
  if (external !== undefined) return external;
  if (address !== '' && address !== 'None') return { host: address, port: port.port };
  const domain = settings.clusterDomain === undefined ? '' : `.${settings.clusterDomain}`;
  return { host: `${ref.name}.${ref.namespace}.svc${domain}`, port: port.port, isName: true };
}

/**
 * Where the requests to a port of a Service go: to its ready endpoints of both families. When none is left,
 * to those that are going away and still answer: better than to nobody, and as kube-proxy does
 * (https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions).
 */
export function targetsOf(object: Service, port: ServicePort, { ref, view }: Context): Target[] {
  if (object.spec?.type === 'ExternalName') return externalTargets(object, port);
  const slices = view.lookup(slicesByService, `${ref.namespace}/${ref.name}`);
  const ready = slices.flatMap((slice) => sliceTargets(slice, port, isReady));
  return distinct(ready.length > 0 ? ready : slices.flatMap((slice) => sliceTargets(slice, port, isLeaving)));
}

function backendPorts(object: Ingress, name: string): number[] {
  const paths = (object.spec?.rules ?? []).flatMap((rule) => rule.http?.paths ?? []);
  const backends = [object.spec?.defaultBackend, ...paths.map((path) => path.backend)];
  return backends.flatMap((backend) =>
    backend?.service?.name === name && backend.service.port?.number !== undefined ? [backend.service.port.number] : [],
  );
}

/**
 * The ports of a Service that requests can be sent to. One that is only another name (ExternalName) need not
 * list any: whatever number a backend says is its port (kong-facts 4.8).
 */
export function portsOf(object: Service, { ref, view }: Context): ServicePort[] {
  const listed = (object.spec?.ports ?? []).filter(isTcp);
  if (object.spec?.type !== 'ExternalName') return listed;
  const wanted = view
    .lookup(ingressesByService, `${ref.namespace}/${ref.name}`)
    .flatMap((ingress) => backendPorts(ingress, ref.name));
  const known = new Set(listed.map((port) => port.port));
  const more = [...new Set(wanted)].filter((number) => !known.has(number)).sort((a, b) => a - b);
  return [...listed, ...more.map((port) => ({ port }))];
}

/** The port of a Service that a backend names, by number or by name; undefined if it has none such. */
export function findPort(
  object: Service,
  port: { name?: string; number?: number } | undefined,
): ServicePort | undefined {
  const ports = (object.spec?.ports ?? []).filter(isTcp);
  const { name, number } = port ?? {};
  if (number !== undefined) {
    const found = ports.find((candidate) => candidate.port === number);
    return found ?? (object.spec?.type === 'ExternalName' ? { port: number } : undefined);
  }
  return name === undefined ? undefined : ports.find((candidate) => candidate.name === name);
}
