import { isIP } from 'node:net';
import type { KubernetesObject } from '#resources/kind.ts';

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/ingress-v1/#IngressStatus */
export interface Address {
  readonly ip?: string;
  readonly hostname?: string;
}

/** What is an IP address goes to `ip`, anything else to `hostname` (kong-facts 4.2). */
export function addressesOf(texts: readonly string[]): Address[] {
  return texts.map((text) => (isIP(text) === 0 ? { hostname: text } : { ip: text }));
}

interface PublishService {
  readonly spec?: { readonly type?: string; readonly clusterIP?: string; readonly clusterIPs?: readonly string[] };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly Address[] | null } };
}

/**
 * Where a Service is reached: of type LoadBalancer its IPs and host names, of any other its cluster IPs
 * (kong-facts 4.2). Empty while there are none.
 */
export function addressesOfService(object: KubernetesObject | undefined): Address[] {
  const { spec, status } = (object ?? {}) as PublishService;
  if (spec?.type === 'LoadBalancer') {
    return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) =>
      addressesOf([ip ?? '', hostname ?? ''].filter((text) => text !== '')),
    );
  }
  const clusterIps = spec?.clusterIPs ?? [spec?.clusterIP ?? ''];
  return addressesOf(clusterIps.filter((text) => text !== '' && text !== 'None'));
}

/** The addresses in the status of an Ingress, whatever that status looks like. */
export function addressesIn(status: unknown): readonly Address[] {
  const { loadBalancer } = (status ?? {}) as { readonly loadBalancer?: { readonly ingress?: unknown } | null };
  return Array.isArray(loadBalancer?.ingress) ? (loadBalancer.ingress as Address[]) : [];
}

/** Whether two lists name the same addresses in the same order. */
export function sameAddresses(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every(({ ip, hostname }, at) => ip === b[at]?.ip && hostname === b[at]?.hostname);
}
