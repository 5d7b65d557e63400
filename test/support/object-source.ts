import { findKind } from '#resources/all-kinds.ts';
import { refOf, type KubernetesObject } from '#resources/kind.ts';
import { refKey, type Ref } from '#resources/ref.ts';
import type { Source, SourceListener } from '#source/source.ts';

/** A source whose objects a test sets. */
export type ObjectSource = Source & { set(objects: readonly KubernetesObject[]): void };

/** A source that delivers, of the objects set, what differs from what it delivered last. */
export function objectSource(): ObjectSource {
  let listener: SourceListener | undefined;
  const delivered = new Map<string, { readonly ref: Ref; readonly text: string }>();
  const refuse = async (): Promise<never> => Promise.reject(new Error('a test sets the objects of this source'));
  return {
    async start(listening) {
      listener = listening;
    },
    async stop() {
      listener = undefined;
    },
    write: refuse,
    async read(ref) {
      const found = delivered.get(refKey(ref));
      return found === undefined ? undefined : (JSON.parse(found.text) as KubernetesObject);
    },
    set(objects) {
      const wanted = new Map(objects.map((object) => [refKey(refOfAny(object)), object]));
      const gone = [...delivered].filter(([key]) => !wanted.has(key));
      const changed = [...wanted].filter(([key, object]) => delivered.get(key)?.text !== JSON.stringify(object));
      for (const [key] of gone) delivered.delete(key);
      for (const [key, object] of changed) delivered.set(key, { ref: refOfAny(object), text: JSON.stringify(object) });
      listener?.changes([
        ...gone.map(([, { ref }]) => ({ type: 'delete' as const, ref })),
        ...changed.map(([, object]) => ({ type: 'put' as const, ref: refOfAny(object), object })),
      ]);
    },
  };
}

/** The ref of an object whose kind Latchkey knows. */
export function refOfAny(object: KubernetesObject): Ref {
  const kind = findKind(object);
  if (kind === undefined) throw new Error(`no kind for ${object.apiVersion} ${object.kind}`);
  return refOf(kind, object);
}
