/** Something of the table that may be a route. */
interface Entry {
  readonly kind: string;
  readonly name?: string;
}

/** Counts how many entries bear each route's name, to tell when the last is gone. */
export function createRouteNames() {
  const counts = new Map<string, number>();
  const change = (entries: readonly Entry[], by: 1 | -1): string[] =>
    entries.flatMap(({ kind, name }) => {
      if (kind !== 'route' || name === undefined) return [];
      counts.set(name, (counts.get(name) ?? 0) + by);
      return [name];
    });
  return {
    /** Takes a change of the table in; gives the names that no entry has any more. */
    take({ put, remove }: { readonly put: readonly Entry[]; readonly remove: readonly Entry[] }): Set<string> {
      const removed = change(remove, -1);
      change(put, 1);
      const gone = removed.filter((name) => counts.get(name) === 0);
      for (const name of gone) counts.delete(name);
      return new Set(gone);
    },
  };
}
