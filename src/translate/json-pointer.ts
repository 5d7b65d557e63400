type Added = { readonly value: unknown } | { readonly fault: string };

const unescape = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

type Fields = Readonly<Record<string, unknown>>;

/** A copy with one field set, whatever its name is. */
function withField(fields: Fields, name: string, value: unknown): Fields {
  const copy = { ...fields };
  Object.defineProperty(copy, name, { value, enumerable: true, writable: true, configurable: true });
  return copy;
}

function addToList(list: readonly unknown[], [part = '', ...rest]: readonly string[], value: unknown): Added {
  const index = part === '-' ? list.length : /^(?:0|[1-9]\d{0,5})$/.test(part) ? Number(part) : Number.NaN;
  if (!(index <= list.length)) return { fault: `there is no place ${part} in a list of ${list.length}` };
  if (rest.length === 0) return { value: list.toSpliced(index, 0, value) };
  const inner = add(list[index] ?? {}, rest, value);
  return 'fault' in inner ? inner : { value: list.toSpliced(index, 1, inner.value) };
}

function add(target: unknown, parts: readonly string[], value: unknown): Added {
  const [part, ...rest] = parts;
  if (part === undefined) return { value };
  if (Array.isArray(target)) return addToList(target, parts, value);
  if (typeof target !== 'object' || target === null) return { fault: `${part} would stand in what is no object` };
  const fields = target as Fields;
  const inner = add(Object.hasOwn(fields, part) ? (fields[part] ?? {}) : {}, rest, value);
  return 'fault' in inner ? inner : { value: withField(fields, part, inner.value) };
}

/**
 * A copy of a value with another added where a JSON pointer leads to (RFC 6901; RFC 6902 4.1), except that
 * parents which are missing are made; an empty pointer replaces everything (kong-facts 4.7).
 */
export function addAt(target: unknown, pointer: string, value: unknown): Added {
  if (pointer !== '' && !pointer.startsWith('/')) return { fault: 'a JSON pointer begins with /' };
  return add(target, pointer.split('/').slice(1).map(unescape), value);
}
