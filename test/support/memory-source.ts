import { randomUUID } from 'node:crypto';
import { kindNamed } from '#resources/all-kinds.ts';
import { uidFromRef } from '#resources/ids.ts';
import { refOf, type KubernetesObject } from '#resources/kind.ts';
import { refKey, type Ref } from '#resources/ref.ts';
import type { Change, Edit, Source, SourceListener } from '#source/source.ts';
import { refOfAny } from './object-source.ts';

/** Which of the two sources to be like: what they add to an object and how they keep a Secret differ. */
export type Likeness = 'directory' | 'api server';

/** `stringData` is merged into `data` on the way in, and read back as `data` alone. */
function mergedSecret(object: KubernetesObject): KubernetesObject {
  const { stringData, ...rest } = object as KubernetesObject & { stringData?: Record<string, string> };
  if (stringData === undefined) return object;
  const encoded = Object.entries(stringData).map(([name, text]) => [name, Buffer.from(text).toString('base64')]);
  return {
    ...rest,
    data: { ...(rest['data'] as object | undefined), ...Object.fromEntries(encoded) },
  };
}

function kept(object: KubernetesObject, ref: Ref, before: KubernetesObject | undefined, like: Likeness) {
  const namespace = kindNamed(ref.kind).scope === 'Cluster' ? {} : { namespace: ref.namespace };
  const given = like === 'directory' ? uidFromRef(ref) : (before?.metadata.uid ?? randomUUID());
  const metadata = { ...object.metadata, ...namespace, uid: object.metadata.uid ?? given };
  const whole = { ...object, metadata };
  return structuredClone(ref.kind === 'Secret' && like === 'api server' ? mergedSecret(whole) : whole);
}

/**
 * A source whose objects are in memory: the contract of `source.ts` and nothing more. Edits are made one
 * write after the other, all of a write or none, and delivered as one batch.
 */
export function memorySource(like: Likeness = 'directory') {
  const objects = new Map<string, KubernetesObject>();
  const batches: Change[][] = [];
  let listener: SourceListener | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let failure: Error | undefined;
  let held: Promise<void> = Promise.resolve();

  const deliver = (changes: readonly Change[]): void => {
    batches.push([...changes]);
    listener?.changes(structuredClone(changes));
  };

  /** What the edits lead to; nothing is changed yet, so that one that throws undoes all. */
  const plan = (edits: readonly Edit[]): Map<string, Change> => {
    const planned = new Map<string, Change>();
    for (const edit of edits) {
      const { ref } = edit;
      const key = refKey(ref);
      const earlier = planned.get(key);
      const current = earlier === undefined ? objects.get(key) : earlier.type === 'put' ? earlier.object : undefined;
      const wanted = edit.apply(current === undefined ? undefined : structuredClone(current));
      if (wanted === undefined) planned.set(key, { type: 'delete', ref });
      else if (refKey(refOf(kindNamed(ref.kind), wanted)) !== key)
        throw new Error(`an edit of ${key} gave another object`);
      else planned.set(key, { type: 'put', ref, object: kept(wanted, ref, current, like) });
    }
    return planned;
  };

  const record = (change: Change): void => {
    if (change.type === 'put') objects.set(refKey(change.ref), change.object);
    else objects.delete(refKey(change.ref));
  };

  const source: Source = {
    async start(listening) {
      listener = listening;
      deliver([...objects.values()].map((object) => ({ type: 'put', ref: refOfAny(object), object })));
    },
    async stop() {
      listener = undefined;
    },
    async write(edits) {
      const turn = queue.then(async () => {
        await held;
        if (failure !== undefined) throw failure;
        const planned = [...plan(edits).values()];
        for (const change of planned) record(change);
        deliver(planned);
      });
      queue = turn.catch(() => undefined);
      return turn;
    },
    async read(ref) {
      return structuredClone(objects.get(refKey(ref)));
    },
  };

  return {
    ...source,
    /** Puts objects there as their author wrote them. */
    set(...written: readonly KubernetesObject[]): void {
      const changes = written.map((object): Change => {
        const ref = refOfAny(object);
        return { type: 'put', ref, object: kept(object, ref, objects.get(refKey(ref)), like) };
      });
      for (const change of changes) record(change);
      if (listener !== undefined) deliver(changes);
    },
    /** Takes an object away without telling: the listener has not heard of it yet. */
    loseQuietly: (ref: Ref): boolean => objects.delete(refKey(ref)),
    /** Puts an object there without telling. */
    addQuietly: (object: KubernetesObject): void => void objects.set(refKey(refOfAny(object)), object),
    /** Every write fails with this until it is undefined again. */
    failWith(error: Error | undefined): void {
      failure = error;
    },
    /** Writes wait until what this gives is called. */
    hold(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
    /** The object as it stands. */
    at: (kind: string, name: string, namespace = 'default') => objects.get(refKey({ kind, namespace, name })),
    ofKind: (kind: string): KubernetesObject[] => [...objects.values()].filter((object) => object.kind === kind),
    /** The refs of every batch that was delivered, `-` before those that were deleted. */
    batches: (): string[][] =>
      batches.map((changes) =>
        changes.map(({ type, ref }) => `${type === 'delete' ? '-' : ''}${ref.kind}/${ref.name}`),
      ),
  };
}
