import type { ServiceEntry, Target } from '#table/service-entry.ts';

/** Chooses which endpoint of a service gets a request. */
export interface Balancer {
  /** The next target, or undefined when there is none. */
  next(service: ServiceEntry): Target | undefined;
  /** Forgets services that are gone. */
  retain(services: Iterable<ServiceEntry>): void;
}

/** Every target in turn. */
export function roundRobin(): Balancer {
  const turns = new Map<string, number>();
  return {
    next(service) {
      const { targets } = service;
      if (targets.length < 2) return targets[0];
      const turn = turns.get(service.key) ?? 0;
      turns.set(service.key, (turn + 1) % targets.length);
      return targets[turn % targets.length];
    },
    retain(services) {
      const kept = new Set([...services].map((service) => service.key));
      for (const key of turns.keys()) if (!kept.has(key)) turns.delete(key);
    },
  };
}
