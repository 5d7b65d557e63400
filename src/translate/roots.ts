import { ingressRoot } from './ingress.ts';
import { ingressClassRoot } from './ingress-class-parameters.ts';
import { kongConsumerRoot } from './kong-consumer.ts';
import { kongConsumerGroupRoot } from './kong-consumer-group.ts';
import { kongClusterPluginRoot, kongPluginRoot } from './kong-plugin.ts';
import { kongUpstreamPolicyRoot } from './kong-upstream-policy.ts';
import { secretRoot } from './secret.ts';
import { serviceRoot } from './service.ts';
import { nothing, type RootKind } from './translation.ts';

/** A kind that others read and that yields nothing of its own; its verdict is whether it fits its schema. */
const onlyRead: RootKind = { translate: () => nothing };

const roots: Readonly<Record<string, RootKind<never> | undefined>> = {
  Ingress: ingressRoot,
  Service: serviceRoot,
  Secret: secretRoot,
  KongConsumer: kongConsumerRoot,
  KongConsumerGroup: kongConsumerGroupRoot,
  KongPlugin: kongPluginRoot,
  KongClusterPlugin: kongClusterPluginRoot,
  IngressClass: ingressClassRoot,
  KongUpstreamPolicy: kongUpstreamPolicyRoot,
};

/** How objects of a kind are translated. */
export function rootKind(kind: string): RootKind {
  return roots[kind] ?? onlyRead;
}
