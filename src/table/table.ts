/**
 * What is served, as the main thread has it: the entries that workers have copies of, and the credential
 * index that they read in shared memory.
 *
 *   entries put and removed ──▶ patch (numbered) ──▶ every worker
 *                          └──▶ credential index (shared memory; every worker sees it at once), and of what is no
 *                               longer as it was an empty patch: whoever was let in by it is looked at again
 *
 * It knows nothing of Kubernetes. Invariant: patch N applied to a copy at N-1 gives the same copy as the
 * snapshot taken at N.
 */
import { CredentialIndex } from './credential-index.ts';
import type { TablePatch, WorkerEntry } from './patch.ts';
import type { GoneEntry, TableEntry } from './table-entry.ts';

/** See the head of this file. */
export function createTable() {
  const entries = new Map<string, WorkerEntry>();
  const credentials = new CredentialIndex();
  let number = 0;
  let published = credentials.buffer;

  /**
   * A credential that changed hands keeps its place in the index: its key is never unknown in between.
   *
   * @returns whether there was one that is gone or another now
   */
  const changeCredentials = (put: readonly TableEntry[], remove: readonly GoneEntry[]): boolean => {
    const added = put.filter((entry) => entry.kind === 'credential');
    credentials.reserve(added.length);
    let isChanged = false;
    for (const entry of added) isChanged = credentials.put(entry) || isChanged;
    const kept = new Set(added.map((entry) => entry.digest));
    for (const entry of remove) {
      if (entry.kind === 'credential' && !kept.has(entry.digest))
        isChanged = credentials.remove(entry.digest) || isChanged;
    }
    return isChanged;
  };

  const isWorkerEntry = (entry: TableEntry | GoneEntry): entry is WorkerEntry => entry.kind !== 'credential';

  return {
    /**
     * Takes a change in and gives the patch for the workers; undefined when they need none, because only
     * credentials came, and those they see already.
     */
    apply(change: {
      readonly put: readonly TableEntry[];
      readonly remove: readonly GoneEntry[];
    }): TablePatch | undefined {
      const tookCredentials = changeCredentials(change.put, change.remove);
      const put = change.put.filter(isWorkerEntry);
      const putKeys = new Set(put.map((entry) => entry.key));
      const remove = change.remove
        .filter((entry) => isWorkerEntry(entry) && !putKeys.has(entry.key))
        .map(({ key }) => key);
      for (const key of remove) entries.delete(key);
      for (const entry of put) entries.set(entry.key, entry);
      const hasMoved = credentials.buffer !== published;
      if (put.length === 0 && remove.length === 0 && !hasMoved && !tookCredentials) return undefined;
      number += 1;
      published = credentials.buffer;
      return { number, put, remove, ...(hasMoved ? { credentialIndex: published } : {}) };
    },

    /** Everything, for a worker that starts. */
    snapshot(): TablePatch {
      return { number, put: [...entries.values()], remove: [], credentialIndex: credentials.buffer };
    },

    /** What workers have copies of. */
    entries: (): Iterable<WorkerEntry> => entries.values(),

    /** Counts, for metrics. */
    sizes(): { readonly entries: number; readonly credentials: number } {
      return { entries: entries.size, credentials: credentials.size };
    },
  };
}
