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

/** The kind of the ref that a key is of. */
export function kindOfKey(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

/** The ref that a key is of, if its namespace holds no slash. */
export function refOfKey(key: string): Ref {
  const [kind = '', namespace = '', ...name] = key.split('/');
  return { kind, namespace, name: name.join('/') };
}

/** The way a ref is shown to people, in messages and logs: `KongPlugin default/my-plugin`. */
export function formatRef(ref: Ref): string {
  return ref.namespace === '' ? `${ref.kind} ${ref.name}` : `${ref.kind} ${ref.namespace}/${ref.name}`;
}
