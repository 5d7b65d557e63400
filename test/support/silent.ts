import { createLog, type LogSettings } from '#telemetry/log.ts';
import { createMetrics } from '#telemetry/metrics.ts';

/** What a pipeline needs so that it tells nobody anything. */
export async function silent() {
  const logSettings: LogSettings = { level: 'silent', format: 'json' };
  return { log: await createLog(logSettings), logSettings, metrics: createMetrics({ version: '0.0.0-test' }) };
}
