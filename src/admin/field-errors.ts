import type { TSchema } from 'typebox';
import { findFaults, type FieldFault } from '#resources/validate.ts';
import { schemaViolation, type FieldErrors } from './errors.ts';

type Nested = { [field: string]: string | (string | null)[] | Nested };

/** `config.key_names[0]` → `['config', 'key_names', 0]`. */
function partsOf(field: string): (string | number)[] {
  return field
    .split(/\.|(?=\[)/)
    .filter((part) => part !== '')
    .map((part) => (/^\[\d+\]$/.test(part) ? Number(part.slice(1, -1)) : part));
}

function place(into: Nested, parts: readonly (string | number)[], message: string): void {
  const [name, next, ...rest] = parts;
  const key = String(name);
  if (next === undefined) into[key] = message;
  else if (typeof next === 'number') {
    const list = Array.isArray(into[key]) ? into[key] : [];
    for (let i = list.length; i < next; i += 1) list.push(null);
    list[next] = message;
    into[key] = list;
  } else {
    const inner = into[key];
    const nested: Nested = typeof inner === 'object' && !Array.isArray(inner) ? inner : {};
    into[key] = nested;
    place(nested, [next, ...rest], message);
  }
}

/** Faults of fields in the nested shape of Kong's `fields`. */
export function nestFaults(faults: readonly FieldFault[]): FieldErrors {
  const nested: Nested = {};
  for (const { field, message } of faults) place(nested, partsOf(field), message);
  return nested;
}

/** @throws AdminError 400, code 2, naming every field of the value that does not fit */
export function assertFits(schema: TSchema, value: unknown): void {
  const faults = findFaults(schema, value);
  if (faults.length > 0) throw schemaViolation(nestFaults(faults));
}
