import type { KongConsumer } from '#resources/kong-consumer.ts';
import type { Problem } from '#resources/verdict.ts';

/** Says of an object that is meant for a control plane in Konnect that Latchkey knows none. */
export function controlPlaneRefProblems({ spec }: Pick<KongConsumer, 'spec'>): Problem[] {
  const type = spec?.controlPlaneRef?.type ?? 'kic';
  if (type === 'kic') return [];
  const field = 'spec.controlPlaneRef';
  const message = `${field}: ${type} means nothing here, it is read as kic`;
  return [{ reason: 'NotSupported', field, message, effect: 'field ignored' }];
}
