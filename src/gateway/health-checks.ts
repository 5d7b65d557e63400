import type { ServiceEntry } from '#table/service-entry.ts';
import { HealthCheck } from './health-check.ts';
import type { ServiceHealth } from './health.ts';

/** Probes of all services whose policy asks for them; one worker of the pool runs them for all. */
export function createHealthChecks(tell: (health: ServiceHealth) => void) {
  const running = new Map<string, HealthCheck>();

  const follow = (service: ServiceEntry): boolean => {
    const checks = service.policy?.active;
    if (checks === undefined) return false;
    let check = running.get(service.key);
    if (check === undefined) running.set(service.key, (check = new HealthCheck(service, checks, tell)));
    check.start(service, checks);
    return true;
  };

  return {
    /** Probes the targets of these services, and of no others. */
    retain(services: Iterable<ServiceEntry>): void {
      const kept = new Set([...services].filter(follow).map(({ key }) => key));
      for (const [key, check] of running) {
        if (kept.has(key)) continue;
        running.delete(key);
        check.stop();
      }
    },

    /** Targets that are unhealthy for all that others know. */
    putOut(service: string, names: readonly string[]): void {
      running.get(service)?.putOut(names);
    },

    /** Ends all probes. */
    close(): void {
      this.retain([]);
    },
  };
}
