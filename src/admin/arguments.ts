import type { TObject, TSchema } from 'typebox';
import { badRequest } from './errors.ts';

/** Arguments of a write, nested as they are stated. */
export type Arguments = Record<string, unknown>;

export const maxArguments = 1_000;
const maxDepth = 16;

export const tooManyArguments = () => badRequest('Too many arguments');

/**
 * Bounds what the rest of the way through the Admin API may meet: how many values, how deep (everything
 * behind this may recurse), and that every text is one that can be written as UTF-8.
 *
 * @throws AdminError 400
 */
export function assertBounds(args: Arguments): void {
  let level: unknown[] = [args];
  let count = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw badRequest(`Arguments are nested more than ${maxDepth} levels deep`);
    if (level.some((value) => typeof value === 'string' && !value.isWellFormed())) {
      throw badRequest('Arguments hold text that is not valid Unicode');
    }
    const inner = level.filter((value) => typeof value === 'object' && value !== null);
    for (const value of inner) count += Object.keys(value).length;
    if (count > maxArguments) throw tooManyArguments();
    level = inner.flatMap((value) => Object.values(value) as unknown[]);
  }
}

/** An object that inherits nothing: a name such as `__proto__` is a name like any other. */
const bare = (): Arguments => Object.create(null) as Arguments;

/** `config.key_names[]`, `config[key_names][1]` → `['config', 'key_names', '[]']`. */
function pathOf(name: string): string[] {
  // One level more than is allowed is enough for `assertBounds` to refuse it.
  const parts = name.split(/\.|(?=\[)/, maxDepth + 1).filter((part) => part !== '');
  return parts.map((part) => {
    const inner = /^\[(.*)\]$/.exec(part)?.[1];
    if (inner === undefined) return part;
    return inner === '' || /^\d+$/.test(inner) ? '[]' : inner;
  });
}

function place(into: Arguments, path: readonly string[], value: string): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0 || rest[0] === '[]') {
    const known = into[name];
    // A name that is repeated is a list; one that says it is a list is one with a single value too.
    if (known === undefined) into[name] = rest.length === 0 ? value : [value];
    else into[name] = [...(Array.isArray(known) ? (known as unknown[]) : [known]), value];
    return;
  }
  const inner = into[name];
  const next = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as Arguments) : bare();
  into[name] = next;
  place(next, rest, value);
}

/** The place that a name gives its value in a list: `key_names[2]` is 2, all others 0. */
const indexOf = (name: string): number => Number(/\[(\d{1,9})\]$/.exec(name)?.[1] ?? 0);

/**
 * Nests the pairs of a form (kong-facts 3.1).
 *
 * @throws AdminError 400 for more than 1,000 arguments
 */
export function nestForm(pairs: readonly (readonly [name: string, value: string])[]): Arguments {
  if (pairs.length > maxArguments) throw tooManyArguments();
  const nested = bare();
  const ordered = [...pairs].sort(([a], [b]) => indexOf(a) - indexOf(b));
  for (const [name, value] of ordered) {
    const path = pathOf(name);
    if (path.length > 0) place(nested, path, value);
  }
  return nested;
}

type SchemaFields = { readonly type?: string; readonly items?: TSchema; readonly properties?: Record<string, TSchema> };

/** A text as the type that the schema wants, where that can be told; an empty one is null. */
function inferText(value: string, type: string | undefined): unknown {
  if (value === '') return null;
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
  if (type === 'integer' || type === 'number') return /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
  return value;
}

function inferForm(value: unknown, schema: TSchema | undefined): unknown {
  const { type, items, properties } = (schema ?? {}) as SchemaFields;
  if (Array.isArray(value)) return value.map((item) => inferForm(item, items));
  if (typeof value === 'object' && value !== null) {
    const schemaOf = (name: string) =>
      properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
    const fields = Object.entries(value).map(([name, inner]) => [name, inferForm(inner, schemaOf(name))]);
    return Object.fromEntries(fields) as unknown;
  }
  if (typeof value !== 'string') return value;
  if (type === 'array') return value === '' ? null : [inferForm(value, items)];
  return inferText(value, type);
}

/** Form values as what an entity's schema wants; JSON values are never converted (kong-facts 3.1). */
export const inferEntity = (value: Arguments, schema: TObject): Arguments => inferForm(value, schema) as Arguments;
