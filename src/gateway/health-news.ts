import type { ServiceHealth } from './health.ts';
import type { FromWorker, ToWorker } from './messages.ts';

/**
 * Passes what is found about targets between workers. The first of them probes; what it finds goes to the others,
 * what their requests find goes to it. A worker that starts later is told what is known.
 */
export function createHealthNews<Slot>(workers: readonly Slot[], send: (worker: Slot, message: ToWorker) => void) {
  const unhealthy = new Map<string, ServiceHealth>();
  return {
    pass(message: Extract<FromWorker, { type: 'health' | 'suspect' }>): void {
      const [prober, ...others] = workers;
      if (message.type === 'suspect') {
        if (prober !== undefined) send(prober, message);
        return;
      }
      const { health } = message;
      if (health.out.length === 0) unhealthy.delete(health.service);
      else unhealthy.set(health.service, health);
      for (const worker of others) send(worker, message);
    },

    /** Tells a worker that has just been given the table. */
    tell(worker: Slot): void {
      for (const health of unhealthy.values()) send(worker, { type: 'health', health: { ...health, back: [] } });
    },
  };
}
