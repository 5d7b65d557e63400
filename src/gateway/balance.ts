import type { ServiceEntry, Target } from '#table/service-entry.ts';
import {
  createBalancedService,
  type BalancedService,
  type BalanceTimes,
  type Choice,
  type OnSuspect,
} from './balanced-service.ts';
import type { ProxyExchange } from './exchange.ts';
import type { ServiceHealth } from './health.ts';
import type { OutTargets } from './out-targets.ts';

/** Chooses which endpoint of a service gets a request. */
export interface Balancer {
  /** The next target of a service without a policy, or undefined when there is none. */
  next(service: ServiceEntry): Target | undefined;
  /** The target that the policy of a service gives a request, or undefined when none may be used. */
  choose(service: ServiceEntry, exchange: ProxyExchange, before?: Choice): Choice | undefined;
  /** Takes in what probes have found. */
  probed(health: ServiceHealth): void;
  /** Targets that get nothing now, for metrics. */
  out(): OutTargets;
  /** Forgets services that are gone. */
  retain(services: Iterable<ServiceEntry>): void;
}

/** The next target in turn, but none that the request has failed on while there are others; without a policy. */
export function untriedTarget(balancer: Balancer, service: ServiceEntry, tried: readonly Target[]): Target | undefined {
  let target = balancer.next(service);
  if (target === undefined || tried.length === 0) return target;
  for (let i = 1; i < service.targets.length && tried.includes(target); i += 1) {
    target = balancer.next(service) ?? target;
  }
  return target;
}

/** Every target in turn where no policy says otherwise: the path of most requests, which allocates nothing. */
export function createBalancer(times: BalanceTimes, onSuspect: OnSuspect): Balancer {
  const turns = new Map<string, number>();
  const balanced = new Map<string, BalancedService>();

  const balancedService = (key: string): BalancedService => {
    let found = balanced.get(key);
    if (found === undefined) balanced.set(key, (found = createBalancedService(times, onSuspect)));
    return found;
  };

  return {
    next(service) {
      const { targets } = service;
      if (targets.length < 2) return targets[0];
      const turn = turns.get(service.key) ?? 0;
      turns.set(service.key, (turn + 1) % targets.length);
      return targets[turn % targets.length];
    },
    choose(service, exchange, before) {
      if (service.policy === undefined) return undefined;
      return balancedService(service.key).choose(service, service.policy, exchange, before);
    },
    probed({ service, out, back }) {
      balancedService(service).probed(new Set(out), new Set(back));
    },
    out: () => [...balanced].flatMap(([key, service]) => service.out().map((name) => [key, name] as const)),
    retain(services) {
      const kept = new Map([...services].map((service) => [service.key, service]));
      for (const key of turns.keys()) if (!kept.has(key)) turns.delete(key);
      for (const key of balanced.keys()) if (kept.get(key)?.policy === undefined) balanced.delete(key);
    },
  };
}
