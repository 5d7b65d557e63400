/**
 * Secrets that plugins take values from. Of all others only what their use takes is kept, so that one which a
 * plugin begins to name has to be read again, and one that no plugin names any more as well, to forget it.
 *
 *   changes ──▶ which are wanted ──▶ seal, engine ──▶ read again from the source ──▶ changes
 *
 * Invariant: what was read never takes the place of what the source delivered meanwhile.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { kindNamed } from '#resources/all-kinds.ts';
import { kongClusterPlugin, kongPlugin, secretsOf, type KongPlugin } from '#resources/kong-plugin.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import { secret } from '#resources/secret.ts';
import { validateObject } from '#resources/validate.ts';
import type { Change, Source } from '#source/source.ts';
import { clusterPluginsBySecret, pluginsBySecret } from '#store/indexes.ts';
import type { Store } from '#store/store.ts';
import type { Logger } from '#telemetry/log.ts';

export interface WantedSecretsOptions {
  readonly store: Store;
  readonly source: Pick<Source, 'read'>;
  /** Takes in what was read, as if the source had delivered it. */
  deliver(change: Change): void;
  readonly log: Logger;
  /** Milliseconds between attempts. Default 1000. */
  readonly retryMs?: number;
}

const usualRetryMs = 1000;
const pluginKinds = new Set([kongPlugin.kind, kongClusterPlugin.kind]);

const secretRef = (key: string): Ref => {
  const slash = key.indexOf('/');
  return { kind: secret.kind, namespace: key.slice(0, slash), name: key.slice(slash + 1) };
};

/** namespace/name of the Secrets that a plugin names; none if it does not fit its schema. */
function secretsNamed(ref: Ref, object: KubernetesObject | undefined): string[] {
  if (object === undefined || !pluginKinds.has(ref.kind)) return [];
  if (object['configFrom'] === undefined && object['configPatches'] === undefined) return [];
  return validateObject(kindNamed(ref.kind), object).length > 0 ? [] : secretsOf(object as KongPlugin, ref.namespace);
}

/** See the head of this file. */
export function createWantedSecrets({ store, source, deliver, log, retryMs = usualRetryMs }: WantedSecretsOptions) {
  const stopped = new AbortController();
  const { signal } = stopped;
  /** Keys of the Secrets whose values the store has. */
  const kept = new Set<string>();
  /** First attempts under way. */
  const reading = new Map<string, Promise<unknown>>();

  const isNamed = ({ namespace, name }: Ref): boolean =>
    [pluginsBySecret, clusterPluginsBySecret].some((index) => store.has(index, `${namespace}/${name}`));

  const isAsWanted = (ref: Ref): boolean => isNamed(ref) === kept.has(refKey(ref)) || store.find(ref) === undefined;

  /** Reads a Secret and delivers it, if it still is what it was. */
  const readOnce = async (ref: Ref): Promise<void> => {
    const before = store.find(ref);
    try {
      const object = await source.read(ref);
      // What was delivered meanwhile is newer, and was kept as it is wanted.
      if (signal.aborted || object === undefined || before === undefined || store.find(ref) !== before) return;
      deliver({ type: 'put', ref, object, problems: before.notes });
    } catch (error) {
      if (!signal.aborted)
        log.warn({ err: error, object: formatRef(ref) }, 'a Secret cannot be read, it is tried again');
    }
  };

  const readAgain = async (ref: Ref): Promise<void> => {
    while (!signal.aborted && !isAsWanted(ref)) {
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted && !isAsWanted(ref)) await readOnce(ref);
    }
  };

  const startReading = (ref: Ref): void => {
    const key = refKey(ref);
    if (reading.has(key)) return;
    const attempt = readOnce(ref).then(() => {
      reading.delete(key);
      void readAgain(ref);
    });
    reading.set(key, attempt);
  };

  /** Which Secrets are wanted once these changes are recorded. */
  const wantedAmong = (changes: readonly Change[]): ((ref: Ref) => boolean) => {
    const puts = changes.flatMap((change) => (change.type === 'put' ? [change] : []));
    const named = new Set(puts.flatMap(({ ref, object }) => secretsNamed(ref, object)));
    return (ref) => named.has(`${ref.namespace}/${ref.name}`) || isNamed(ref);
  };

  /** The Secrets that these changes, which are not recorded yet, begin or cease to name. */
  const concernedBy = (changes: readonly Change[]): Ref[] => {
    const keys = changes.flatMap((change) => [
      ...secretsNamed(change.ref, store.find(change.ref)?.object),
      ...(change.type === 'put' ? secretsNamed(change.ref, change.object) : []),
    ]);
    return [...new Set(keys)].map(secretRef);
  };

  const noteKept = (changes: readonly Change[], wants: (ref: Ref) => boolean): void => {
    for (const { type, ref } of changes) {
      if (ref.kind !== secret.kind) continue;
      if (type === 'put' && wants(ref)) kept.add(refKey(ref));
      else kept.delete(refKey(ref));
    }
  };

  return {
    /** Has changes recorded, telling of which Secrets the values are to be kept; reads again what that changes. */
    take<T>(changes: readonly Change[], record: (wants: (ref: Ref) => boolean) => T): T {
      const wants = wantedAmong(changes);
      const concerned = concernedBy(changes);
      const recorded = record(wants);
      noteKept(changes, wants);
      for (const ref of concerned) if (!isAsWanted(ref)) startReading(ref);
      return recorded;
    },

    /** Resolves when no first attempt is under way. */
    async settled(): Promise<void> {
      while (reading.size > 0) await Promise.all(reading.values());
    },

    stop: (): void => stopped.abort(),
  };
}
