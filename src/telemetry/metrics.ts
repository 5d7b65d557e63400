import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { createServedMetrics } from './served-metrics.ts';
import { createTrafficMetrics } from './traffic-metrics.ts';

function tellBuild(version: string, registers: Registry[]): void {
  const build = new Gauge({
    name: 'latchkey_build_info',
    help: 'Always 1: which version runs, on which Node.',
    labelNames: ['version', 'node'],
    registers,
  });
  build.set({ version, node: process.versions.node }, 1);
}

/** What a gateway on a cluster tells besides. */
const clusterMetrics = (registers: Registry[]) => ({
  apiRequests: new Counter({
    name: 'rest_client_requests_total',
    help: 'Answers of the Kubernetes API, by method and status.',
    labelNames: ['method', 'code'],
    registers,
  }),
  watchUp: new Gauge({
    name: 'latchkey_watch_up',
    help: 'Whether changes of a kind arrive as they happen: 1, or 0 while it cannot be read; absent while it is not installed.',
    labelNames: ['kind'],
    registers,
  }),
  installed: new Gauge({
    name: 'latchkey_definition_installed',
    help: 'Whether the API server knows a kind: 0 while its CustomResourceDefinition is not installed.',
    labelNames: ['kind'],
    registers,
  }),
  leads: new Gauge({
    name: 'leader_election_master_status',
    help: 'Whether this replica leads: it alone writes status and Events.',
    labelNames: ['name'],
    registers,
  }),
});

/** What is measured of the control plane. Names follow Kong's controller where it has one (kong-facts 4.11). */
export function createMetrics({ version }: { readonly version: string }) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  tellBuild(version, registers);
  return {
    registry,
    traffic: createTrafficMetrics(registers),
    served: createServedMetrics(registers),
    translations: new Counter({
      name: 'ingress_controller_translation_count',
      help: 'Batches of changes translated; success is false where a bug was met.',
      labelNames: ['success'],
      registers,
    }),
    translatedRoots: new Counter({
      name: 'latchkey_translated_roots_total',
      help: 'Objects translated, again each time that something they read changed.',
      registers,
    }),
    translationMs: new Histogram({
      name: 'ingress_controller_translation_duration_milliseconds',
      help: 'Time to translate a batch of changes, in milliseconds.',
      labelNames: ['success'],
      buckets: [0.1, 0.5, 1, 5, 10, 50, 100, 500, 1000, 5000],
      registers,
    }),
    brokenObjects: new Gauge({
      name: 'ingress_controller_translation_broken_resource_count',
      help: 'Objects that are not in force.',
      registers,
    }),
    patchMs: new Histogram({
      name: 'latchkey_patch_duration_milliseconds',
      help: 'Time from a change to its acknowledgement by every worker, in milliseconds.',
      buckets: [0.5, 1, 2, 5, 10, 25, 50, 100, 250, 1000],
      registers,
    }),
    tableVersion: new Gauge({
      name: 'latchkey_table_version',
      help: 'Number of the last change of the table that every worker serves.',
      registers,
    }),
    tableEntries: new Gauge({
      name: 'latchkey_table_entries',
      help: 'Routes, services and plugins served.',
      registers,
    }),
    credentials: new Gauge({ name: 'latchkey_credentials', help: 'Credentials in force.', registers }),
    workerRestarts: new Counter({
      name: 'latchkey_worker_restarts_total',
      help: 'Workers that came to an end, died or hung, and were replaced.',
      registers,
    }),
    workerHangs: new Counter({
      name: 'latchkey_worker_hangs_total',
      help: 'Workers whose event loop did not turn for --worker-hang-timeout-ms.',
      registers,
    }),
    ...clusterMetrics(registers),
    failures: new Counter({ name: 'latchkey_internal_errors_total', help: 'Bugs caught in a translation.', registers }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
