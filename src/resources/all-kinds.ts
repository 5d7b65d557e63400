import { configMap } from './config-map.ts';
import { endpointSlice } from './endpoint-slice.ts';
import { ingress } from './ingress.ts';
import { ingressClass } from './ingress-class.ts';
import { ingressClassParameters } from './ingress-class-parameters.ts';
import { apiVersionOf, type Kind, type KubernetesObject } from './kind.ts';
import { kongConsumer } from './kong-consumer.ts';
import { kongConsumerGroup } from './kong-consumer-group.ts';
import { kongClusterPlugin, kongPlugin } from './kong-plugin.ts';
import { kongUpstreamPolicy } from './kong-upstream-policy.ts';
import { referenceGrant } from './reference-grant.ts';
import { secret } from './secret.ts';
import { service } from './service.ts';

/** Every kind that Latchkey knows: being on this list means watched, validated and reported on. */
export const allKinds: readonly Kind[] = [
  ingressClass,
  ingressClassParameters,
  ingress,
  service,
  endpointSlice,
  secret,
  configMap,
  kongPlugin,
  kongClusterPlugin,
  kongConsumer,
  kongConsumerGroup,
  kongUpstreamPolicy,
  referenceGrant,
];

const byApiVersionAndKind = new Map(allKinds.map((kind) => [`${apiVersionOf(kind)}/${kind.kind}`, kind]));
const byKind = new Map(allKinds.map((kind) => [kind.kind, kind]));

/** The kind of an object as its author wrote it, or undefined when Latchkey does not know it. */
export function findKind(object: Pick<KubernetesObject, 'apiVersion' | 'kind'>): Kind | undefined {
  return byApiVersionAndKind.get(`${object.apiVersion}/${object.kind}`);
}

/** The kind with this name (`Ref.kind`); names are unique among the kinds that Latchkey knows. */
export function kindNamed(name: string): Kind {
  const kind = byKind.get(name);
  if (kind === undefined) throw new Error(`no kind is called ${name}`);
  return kind;
}
