/** A list in the least memory, for what is kept a million times: its one item alone, else without room to grow. */
export type PackedList<T extends string | object> = T | readonly T[];

const none: readonly never[] = [];

export function packList<T extends string | object>(list: readonly T[]): PackedList<T> {
  const [first] = list;
  if (first === undefined) return none;
  return list.length === 1 ? first : list.slice(); // what grew, or was spread from a set, keeps room for sixteen more
}

export function unpackList<T extends string | object>(packed: PackedList<T>): readonly T[] {
  return Array.isArray(packed) ? (packed as readonly T[]) : [packed as T];
}
