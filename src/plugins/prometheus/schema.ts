import Type from 'typebox';
import type { PluginSchema } from '#plugins/plugin.ts';

const alwaysOn = (what: string) =>
  Type.Boolean({ default: false, description: `${what} They are always told, whatever stands here.` });
const absent = (what: string) => Type.Boolean({ default: false, description: what });

const config = Type.Object(
  {
    per_consumer: Type.Boolean({
      default: false,
      description: 'Tell consumers apart. The flag --metrics-per-consumer does that, for all routes.',
    }),
    status_code_metrics: alwaysOn('Requests by status.'),
    latency_metrics: alwaysOn('Latencies.'),
    bandwidth_metrics: alwaysOn('Bytes of bodies.'),
    upstream_health_metrics: alwaysOn('Health of targets.'),
    ai_metrics: absent('There is no AI traffic.'),
    wasm_metrics: absent('There are no filters in WebAssembly.'),
  },
  { additionalProperties: false },
);

const unheard = {
  per_consumer: 'is a flag of the gateway, --metrics-per-consumer, and not of a plugin',
  ai_metrics: 'there is no AI traffic to tell of',
  wasm_metrics: 'there are no filters in WebAssembly to tell of',
} as const;

/** Control side of prometheus: metrics are on for all routes, so that there is nothing left to switch on. */
export const prometheusSchema: PluginSchema<typeof config> = {
  name: 'prometheus',
  config,
  ignored: (stated) =>
    (['per_consumer', 'ai_metrics', 'wasm_metrics'] as const).flatMap((name) =>
      stated[name] ? [{ field: `config.${name}`, message: unheard[name] }] : [],
    ),
};
