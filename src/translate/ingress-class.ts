import { classAnnotation } from '#resources/annotations.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { defaultIngressClasses } from '#store/indexes.ts';
import type { Context } from './translation.ts';

/**
 * Why an object is of another class, or undefined when it is ours (kong-facts 4.4): the annotation alone
 * decides; without it `specClass`; without either the object is ours only if our class is the default.
 */
export function foreignClass(
  object: KubernetesObject,
  { view }: Pick<Context, 'view'>,
  specClass: string | undefined,
): string | undefined {
  const ours = view.ingressClass;
  const annotated = object.metadata.annotations?.[classAnnotation];
  const stated = annotated === undefined || annotated === '' ? specClass : annotated;
  if (stated !== undefined) return stated === ours ? undefined : `its ingress class is ${stated}, not ${ours}`;
  if (view.lookup(defaultIngressClasses, ours).length > 0) return undefined;
  return `it has no ingress class, and IngressClass ${ours} is not the default`;
}
