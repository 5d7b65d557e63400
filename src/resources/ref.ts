/** What names an object: its kind, namespace and name. `namespace` is '' for cluster-scoped kinds. */
export interface Ref {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * Text in one piece, for what is kept by the ten thousand. A template literal keeps each of its parts, and 32
 * bytes for each seam.
 */
export function flatText(...parts: readonly string[]): string {
  return parts.join('');
}

/** A key for maps: two refs are equal exactly when their keys are. Kubernetes names hold no slash. */
export function refKey(ref: Ref): string {
  return flatText(ref.kind, '/', ref.namespace, '/', ref.name);
}

/** The way a ref is shown to people, in messages and logs: `KongPlugin default/my-plugin`. */
export function formatRef(ref: Ref): string {
  return ref.namespace === '' ? `${ref.kind} ${ref.name}` : `${ref.kind} ${ref.namespace}/${ref.name}`;
}

/** Orders refs by kind, namespace, name; for output that must not depend on arrival order. */
export function compareRefs(a: Ref, b: Ref): number {
  const left = refKey(a);
  const right = refKey(b);
  return left < right ? -1 : left > right ? 1 : 0;
}
