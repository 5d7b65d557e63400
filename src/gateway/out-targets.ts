import type { Target } from '#table/service-entry.ts';
import { peerName } from './peer.ts';

/** Targets that a worker sends nothing to, as it tells them: key of the service and name of the target. */
export type OutTargets = readonly (readonly [service: string, target: string])[];

/** What workers said last of the targets that they keep requests from. */
export function createOutTargets() {
  const ofWorkers = new Map<number, ReadonlySet<string>>();
  const keyOf = (service: string, name: string): string => `${service} ${name}`;
  return {
    note(worker: number, out: OutTargets): void {
      ofWorkers.set(worker, new Set(out.map(([service, name]) => keyOf(service, name))));
    },

    /** Whether any worker keeps requests from a target; each finds out by its own requests. */
    isOut(service: string, target: Target): boolean {
      const key = keyOf(service, peerName(target));
      return [...ofWorkers.values()].some((out) => out.has(key));
    },
  };
}
