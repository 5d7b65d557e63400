import { parseAllDocuments } from 'yaml';
import { startPipeline, type Pipeline } from '#pipeline.ts';
import type { Metrics } from '#telemetry/metrics.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { freePort } from './free-port.ts';
import { objectSource, type ObjectSource } from './object-source.ts';
import { oneService, type OneService } from './one-service.ts';
import { proxySettings } from './proxy-settings.ts';
import { silent } from './silent.ts';

/** A gateway with one worker, and the source that its objects come from. The caller stops it. */
export async function emptyPipeline(
  flags: readonly string[] = [],
): Promise<{ readonly pipeline: Pipeline; readonly source: ObjectSource; readonly metrics: Metrics }> {
  const source = objectSource();
  const tellers = await silent();
  const pipeline = await startPipeline({
    openSource: async () => source,
    translate: { ingressClass: 'kong' },
    listen: { host: '127.0.0.1', port: await freePort() },
    httpsListen: { host: '127.0.0.1', port: await freePort() },
    workers: 1,
    ...tellers,
    proxy: proxySettings(flags),
    version: '0.0.0-test',
  });
  return { pipeline, source, metrics: tellers.metrics };
}

/** A gateway with one worker and these objects in force. The caller stops it. */
export async function pipelineOf(objects: readonly KubernetesObject[]): Promise<Pipeline> {
  const { pipeline, source } = await emptyPipeline();
  source.set(objects);
  await pipeline.settled();
  return pipeline;
}

/** The objects that a user wrote, in the namespace `default` where they name none. */
export function objectsOf(yaml: string): KubernetesObject[] {
  return parseAllDocuments(yaml)
    .map((document) => document.toJS() as KubernetesObject)
    .map((object) => ({ ...object, metadata: { namespace: 'default', ...object.metadata } }));
}

/**
 * A gateway with one worker that sends everything to a port of this machine. The caller stops it.
 *
 * @param more further objects, as YAML
 */
export async function silentPipeline(
  upstreamPort: number,
  {
    flags = [],
    more = '',
    ...service
  }: OneService & { readonly flags?: readonly string[]; readonly more?: string } = {},
): Promise<Pipeline> {
  const { pipeline, source } = await emptyPipeline(flags);
  source.set(objectsOf(`${oneService(upstreamPort, service)}${more === '' ? '' : `---\n${more}`}`));
  await pipeline.settled();
  return pipeline;
}
