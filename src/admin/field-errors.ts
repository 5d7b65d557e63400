import type { TObject } from 'typebox';
import { findFaults, type FieldFault } from '#resources/validate.ts';
import { schemaViolation, type FieldErrors } from './errors.ts';
import { withoutNulls } from './request-context.ts';

type Nested = { [field: string]: string | (string | null)[] | Nested };

/** Inherits nothing, so that a field named `__proto__` is reported like any other. */
const bare = (): Nested => Object.create(null) as Nested;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * `config.key_names[0]` → `['config', 'key_names', 0]`. The value guides it: a client may have named a
 * field `a.b` or `a[999999999]`, which are names and no paths.
 */
function partsOf(field: string, value: unknown): (string | number)[] {
  const item = /^\[(\d+)\]\.?(.*)$/s.exec(field);
  if (Array.isArray(value) && item !== null && Number(item[1]) < value.length) {
    const index = Number(item[1]);
    return item[2] === '' ? [index] : [index, ...partsOf(item[2] ?? '', value[index])];
  }
  const name = /^[^.[]+/.exec(field)?.[0];
  if (!isRecord(value) || Object.hasOwn(value, field) || name === undefined || !Object.hasOwn(value, name)) {
    return [field];
  }
  const rest = field.slice(name.length).replace(/^\./, '');
  return rest === '' ? [name] : [name, ...partsOf(rest, value[name])];
}

function place(into: Nested, parts: readonly (string | number)[], message: string): void {
  const [name, next, ...rest] = parts;
  const key = String(name);
  if (next === undefined) into[key] = message;
  else if (typeof next === 'number') {
    const list = Array.isArray(into[key]) ? into[key] : [];
    list[next] = message;
    into[key] = list;
  } else {
    const inner = into[key];
    const nested = typeof inner === 'object' && !Array.isArray(inner) ? inner : bare();
    into[key] = nested;
    place(nested, [next, ...rest], message);
  }
}

/** Faults of fields of a value, in the nested shape of Kong's `fields`. */
export function nestFaults(faults: readonly FieldFault[], value: unknown): FieldErrors {
  const nested = bare();
  for (const { field, message } of faults) place(nested, partsOf(field, value), message);
  return nested;
}

const isKnown = (schema: TObject, field: string): boolean => Object.hasOwn(schema.properties, field);

/** Fields that a schema does not have, those whose value is null included, which elsewhere means absent. */
export function unknownFields(schema: TObject, args: Readonly<Record<string, unknown>>): FieldFault[] {
  return Object.keys(args)
    .filter((field) => !isKnown(schema, field))
    .map((field) => ({ field, message: 'unknown field' }));
}

/** The fields that a schema has. */
export function knownFields(schema: TObject, args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).filter(([field]) => isKnown(schema, field)));
}

/**
 * The arguments that are not null, which fit the schema.
 *
 * @param others faults that were found elsewhere, to be told with these
 * @throws AdminError 400, code 2, naming every field that does not fit
 */
export function fitting(
  schema: TObject,
  args: Record<string, unknown>,
  others: readonly FieldFault[] = [],
): Record<string, unknown> {
  const stated = withoutNulls(knownFields(schema, args));
  const faults = [...findFaults(schema, stated), ...unknownFields(schema, args), ...others];
  if (faults.length > 0) throw schemaViolation(nestFaults(faults, args));
  return stated;
}
