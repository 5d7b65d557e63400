import type { TObject, TSchema } from 'typebox';
import { badRequest } from './errors.ts';

/** Arguments of a write, nested as they are stated. */
export type Arguments = Record<string, unknown>;

const maxArguments = 1_000;

/** An object that inherits nothing: a name such as `__proto__` is a name like any other. */
const bare = (): Arguments => Object.create(null) as Arguments;

/** `config.key_names[]`, `config[key_names][1]` → `['config', 'key_names', '[]']`. */
function pathOf(name: string): string[] {
  const parts = name.split(/\.|(?=\[)/).filter((part) => part !== '');
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

/**
 * Nests the pairs of a form (kong-facts 3.1).
 *
 * @throws AdminError 400 for more than 1,000 arguments
 */
export function nestForm(pairs: readonly (readonly [name: string, value: string])[]): Arguments {
  if (pairs.length > maxArguments) throw badRequest('Too many arguments');
  const nested = bare();
  for (const [name, value] of pairs) {
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

/** Form values as what the schema wants; JSON values are never converted (kong-facts 3.1). */
export function inferForm(value: unknown, schema: TSchema | undefined): unknown {
  const { type, items, properties } = (schema ?? {}) as SchemaFields;
  if (Array.isArray(value)) return value.map((item) => inferForm(item, items));
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([name, inner]) => [name, inferForm(inner, properties?.[name])]);
    return Object.fromEntries(fields) as unknown;
  }
  if (typeof value !== 'string') return value;
  if (type === 'array') return value === '' ? null : [inferForm(value, items)];
  return inferText(value, type);
}

/** The schema of an entity's arguments as `inferForm` wants it. */
export const inferEntity = (value: Arguments, schema: TObject): Arguments => inferForm(value, schema) as Arguments;
