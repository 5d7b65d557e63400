/** What is served and how it is, as Prometheus reads it: told anew for every scrape, so nothing outlives what it is of. */
import { Gauge, type Registry } from 'prom-client';

/** See `ServedMetrics.set`. */
export interface ServedFigures {
  /** Objects by kind, then by the reason of their condition `Programmed`. */
  readonly objects: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Keys that are in force and end soon. */
  readonly expiringCredentials: number;
  readonly certificates: readonly {
    readonly secret: string;
    readonly serverName: string;
    readonly notAfterMs: number;
  }[];
  readonly targets: readonly {
    /** `<namespace>/<Service>/<port>`. */
    readonly service: string;
    readonly target: { readonly host: string; readonly port: number; readonly isName?: true };
    readonly state: string;
  }[];
}

/** Certificates that are told, those that end first; so many targets, those with health checks first. */
const mostSeries = 2_000;

/** States of Kong's `kong_upstream_target_health`: the one that a target is in has 1, the others 0. */
const targetStates = ['healthchecks_off', 'healthy', 'unhealthy', 'dns_error'] as const;

/** `10.0.0.1:80`, `[fd00::1]:80`. */
const hostAndPort = ({ host, port }: ServedFigures['targets'][number]['target']): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

function gauges(registers: Registry[]) {
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  return {
    objects: gauge('latchkey_objects', 'Objects, by kind and by the reason of their condition Programmed.', [
      'kind',
      'reason',
    ]),
    expiringCredentials: gauge('latchkey_credentials_expiring', 'Credentials that are in force and end soon.'),
    certificates: gauge(
      'latchkey_certificate_expiry_timestamp_seconds',
      'When a certificate that clients are shown ends, in seconds since the epoch.',
      ['secret', 'server_name'],
    ),
    targets: gauge('kong_upstream_target_health', 'Health of the targets of a service: 1 for the state it is in.', [
      'upstream',
      'target',
      'address',
      'state',
      'subsystem',
    ]),
  };
}

/** See the head of this file. */
export function createServedMetrics(registers: Registry[]) {
  const now = gauges(registers);

  const setTargets = (targets: ServedFigures['targets']): void => {
    now.targets.reset();
    const checkedFirst = targets.toSorted((a, b) => rank(a.state) - rank(b.state));
    for (const { service: upstream, target, state: found } of checkedFirst.slice(0, mostSeries)) {
      const address = hostAndPort(target);
      for (const state of targetStates) {
        now.targets.set({ upstream, target: address, address, state, subsystem: 'http' }, state === found ? 1 : 0);
      }
    }
  };

  return {
    /** Takes in how things are now. */
    set({ objects, expiringCredentials, certificates, targets }: ServedFigures): void {
      now.objects.reset();
      for (const [kind, reasons] of objects) {
        for (const [reason, n] of reasons) if (n > 0) now.objects.set({ kind, reason }, n);
      }
      now.expiringCredentials.set(expiringCredentials);
      now.certificates.reset();
      const soonestFirst = certificates.toSorted((a, b) => a.notAfterMs - b.notAfterMs);
      for (const { secret, serverName, notAfterMs } of soonestFirst.slice(0, mostSeries)) {
        now.certificates.set({ secret, server_name: serverName }, notAfterMs / 1_000);
      }
      setTargets(targets);
    },
  };
}

/** Targets of services without health checks come last. */
const rank = (state: string): number => (state === 'healthchecks_off' ? 1 : 0);
