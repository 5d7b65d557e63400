import { refKey, type Ref } from '#resources/ref.ts';
import type { Origin } from './source.ts';

/** An object by name and place only: its content is not kept. */
export interface Standing {
  readonly ref: Ref;
  readonly origin: Required<Origin>;
  /** Keyed, so that nobody can guess at the content of a Secret from it. */
  readonly digest: string;
}

/** By path, line and column, so that which one is first does not depend on which was read first. */
export function compareOrigins(a: Origin, b: Origin): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || (a.column ?? 1) - (b.column ?? 1);
}

/** The way a place is shown to people: `conf/a.yaml:12`. */
export function formatPlace({ file, line }: Origin): string {
  return `${file}:${line}`;
}

/** Where each object stands, first place first. */
export function createPlaces() {
  const places = new Map<string, readonly Standing[]>();
  const several = new Set<string>();

  const set = (key: string, list: readonly Standing[]): void => {
    if (list.length === 0) places.delete(key);
    else places.set(key, list);
    if (list.length > 1) several.add(key);
    else several.delete(key);
  };

  const of = (key: string): readonly Standing[] => places.get(key) ?? [];

  return {
    /** The places of an object, by its `refKey`. */
    of,
    add(standing: Standing): void {
      const key = refKey(standing.ref);
      set(
        key,
        [...of(key), standing].sort((a, b) => compareOrigins(a.origin, b.origin)),
      );
    },
    remove(standing: Standing): void {
      const key = refKey(standing.ref);
      set(
        key,
        of(key).filter((other) => other !== standing),
      );
    },
    /** The keys of the objects that stand in more than one place. */
    several: (): IterableIterator<string> => several.values(),
  };
}
