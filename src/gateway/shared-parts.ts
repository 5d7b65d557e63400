/**
 * One of values that are equal, for as long as somebody has it. A patch brings each route's plugins, and each text, as
 * objects of its own; of 100,000 routes that are alike a request would read parts that no cache has.
 */
export function createSharedParts() {
  const parts = new Map<string, { readonly value: unknown; holders: number }>();

  return {
    /** The one that equals a value of JSON; to be given back. */
    take<T>(value: T): T {
      if (value === undefined) return value;
      const text = JSON.stringify(value);
      let part = parts.get(text);
      if (part === undefined) parts.set(text, (part = { value, holders: 0 }));
      part.holders += 1;
      // What is written in the same way is of the same type.
      return part.value as T;
    },

    release(value: unknown): void {
      if (value === undefined) return;
      const text = JSON.stringify(value);
      const part = parts.get(text);
      if (part === undefined) return;
      part.holders -= 1;
      if (part.holders === 0) parts.delete(text);
    },
  };
}

export type SharedParts = ReturnType<typeof createSharedParts>;
