/** What is served, as lists for whoever watches over it: certificates and when they end, targets and how they are. */
import type { CertificateEntry } from './certificate-entry.ts';
import { nameInKey } from './entry-name.ts';
import type { WorkerEntry } from './patch.ts';
import type { ServiceEntry, Target } from './service-entry.ts';

/** A certificate that clients are shown who name this host. */
export interface ServedCertificate {
  /** `<namespace>/<Secret>`. */
  readonly secret: string;
  /** Lower-case host; `*.example.com`; '' for clients that name none, or none of ours. */
  readonly serverName: string;
  readonly notAfterMs: number;
}

/** In the words of Kong's Admin API and metrics; `dns_error` is found where requests are sent, and not told. */
type TargetState = 'healthchecks_off' | 'healthy' | 'unhealthy';

/** A target of a service. */
export interface ServedTarget {
  /** `<namespace>/<Service>/<port>`. */
  readonly service: string;
  readonly target: Target;
  readonly state: TargetState;
}

/** The certificates of a table. */
export function certificatesOf(entries: Iterable<WorkerEntry>): ServedCertificate[] {
  const certificates = new Map<string, CertificateEntry>();
  const shown: { readonly host: string; readonly key: string }[] = [];
  for (const entry of entries) {
    if (entry.kind === 'certificate') certificates.set(entry.key, entry);
    if (entry.kind === 'server-name' && entry.certificate !== undefined)
      shown.push({ host: entry.host, key: entry.certificate });
  }
  return shown.flatMap(({ host, key }) => {
    const found = certificates.get(key);
    return found === undefined ? [] : [{ secret: nameInKey(key), serverName: host, notAfterMs: found.notAfterMs }];
  });
}

/** The targets of a table. @param isOut whether requests are kept from a target of a service, by its key */
export function targetsOf(
  entries: Iterable<WorkerEntry>,
  isOut: (service: string, target: Target) => boolean,
): ServedTarget[] {
  const stateOf = ({ key, policy }: ServiceEntry, target: Target): TargetState => {
    if (policy?.active === undefined && policy?.passive === undefined) return 'healthchecks_off';
    return isOut(key, target) ? 'unhealthy' : 'healthy';
  };
  return [...entries].flatMap((entry) =>
    entry.kind === 'service'
      ? entry.targets.map((target) => ({
          service: nameInKey(entry.key),
          target,
          state: stateOf(entry, target),
        }))
      : [],
  );
}
