import { consumerNamespacesAnnotation } from '#resources/annotations.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Effect, Problem } from '#resources/verdict.ts';
import { annotationField } from './annotations.ts';

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names */
const label = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** Stands for the namespace of the Ingress that is asked. */
const same = 'same';

/** Whose consumers are admitted, and why it cannot be said: then whatever the effect says, it closes. */
export interface AdmittedNamespaces {
  /** Absent for all. `same` stands for the namespace of the route. */
  readonly admits?: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * What `latchkey.dev/consumer-namespaces` of an Ingress or a plugin says. A list that cannot be read admits
 * nobody rather than everybody: the effect must be one that closes.
 */
export function admittedNamespaces(object: KubernetesObject, effect: Effect): AdmittedNamespaces {
  const text = object.metadata.annotations?.[consumerNamespacesAnnotation]?.trim();
  if (text === undefined || text === '*') return { problems: [] };
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !label.test(name));
  if (wrong === undefined) return { admits: names, problems: [] };
  const field = annotationField(consumerNamespacesAnnotation);
  const message = `${field}: expected *, or same and names of namespaces separated by commas, not '${wrong}'`;
  return { problems: [{ reason: 'InvalidAnnotation', field, message, effect }] };
}

/** The same with the namespace that `same` stands for. */
export function admittedBy(admits: readonly string[], namespace: string): readonly string[] {
  return admits.map((name) => (name === same ? namespace : name));
}
