import { findAnnotation, ourPrefix } from '#resources/annotations.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Effect, Problem } from '#resources/verdict.ts';

const readPrefixes = ['konghq.com/', 'ingress.kubernetes.io/', ourPrefix];

/**
 * What happens where an annotation of ours stands that means nothing there: it may be one that was to narrow
 * what is let in, misspelt. Kong's are told and ignored, as Kong ignores them.
 */
function withoutMeaning(name: string, kind: string): Effect {
  if (!name.startsWith(ourPrefix)) return 'field ignored';
  if (kind === 'Ingress' || kind === 'Service') return 'route answers 503';
  if (kind === 'KongPlugin' || kind === 'KongClusterPlugin') return 'plugin not in force';
  return kind === 'KongConsumer' ? 'object not in force' : 'field ignored';
}

/** The path of an annotation in messages. */
export function annotationField(name: string): string {
  return `metadata.annotations["${name}"]`;
}

/** Annotations of the object that are Kong's to read but that Latchkey does not know or support there. */
export function unsupportedAnnotations(object: KubernetesObject): Problem[] {
  const names = Object.keys(object.metadata.annotations ?? {}).sort(); // an API server sorts them too
  return names
    .filter((name) => readPrefixes.some((prefix) => name.startsWith(prefix)))
    .flatMap((name): Problem[] => {
      const known = findAnnotation(name);
      const field = annotationField(name);
      if (known === undefined) {
        // Other programs own annotations under the older prefix too.
        if (name.startsWith('ingress.kubernetes.io/')) return [];
        const effect = withoutMeaning(name, object.kind);
        return [{ reason: 'InvalidAnnotation', field, message: `${field}: no such annotation`, effect }];
      }
      if (!known.on.includes(object.kind)) {
        const message = `${field}: has no meaning on ${object.kind}`;
        return [{ reason: 'InvalidAnnotation', field, message, effect: withoutMeaning(name, object.kind) }];
      }
      const value = object.metadata.annotations?.[name] ?? '';
      if (known.unsupported === undefined || value === 'false' || known.harmless?.test(value) === true) return [];
      return [{ reason: 'NotSupported', field, message: `${field}: is not supported yet`, effect: known.unsupported }];
    });
}

/** An annotation that is read: its value, or the default with the problem that it could not be read. */
export interface AnnotationReader {
  text(name: string): string | undefined;
  boolean(name: string, fallback: { readonly default: boolean }): boolean;
  integer(name: string, bounds: { readonly default: number; readonly min: number; readonly max: number }): number;
}

/** Reads annotations of one object; what cannot be read is added to `problems`. */
export function annotationReader(object: KubernetesObject, problems: Problem[]): AnnotationReader {
  const text = (name: string): string | undefined => object.metadata.annotations?.[name]?.trim();
  const refuse = (name: string, expected: string, fallback: unknown): void => {
    const field = annotationField(name);
    problems.push({
      reason: 'InvalidAnnotation',
      field,
      message: `${field}: expected ${expected}, so ${String(fallback)} is used`,
      effect: 'field ignored',
    });
  };
  return {
    text,
    boolean(name, fallback) {
      const value = text(name)?.toLowerCase();
      if (value === undefined) return fallback.default;
      if (value !== 'true' && value !== 'false') refuse(name, 'true or false', fallback.default);
      return value === 'true' ? true : value === 'false' ? false : fallback.default;
    },
    integer(name, bounds) {
      const value = text(name);
      if (value === undefined) return bounds.default;
      const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
      if (number >= bounds.min && number <= bounds.max) return number;
      refuse(name, `a whole number from ${bounds.min} to ${bounds.max}`, bounds.default);
      return bounds.default;
    },
  };
}
