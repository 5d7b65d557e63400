/**
 * Which fields of an object are whose, as `metadata.managedFields` has it, and the part of an object that
 * is one manager's. No schema is needed: how the API server tracks a list or a map says what it is.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
import type { KubernetesObject } from '#resources/kind.ts';

/** Fields as FieldsV1 nests them: `f:name`, `v:"item of a set"`, `k:{"key":"of an item"}`, `.` for itself. */
export interface Fields {
  readonly [part: string]: Fields;
}

interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: 'Apply' | 'Update';
  readonly subresource?: string;
  readonly fieldsV1?: Fields;
}

export type Json = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** How the items of a list are told apart: each has a part of that name in `Fields`. */
interface Identity {
  partOf(item: unknown): string;
  /** The fields that name an item; none in a set. */
  readonly keys: readonly string[];
}

const keyPart = (item: Json): string =>
  `k:${JSON.stringify(Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))))}`;

/** The same part is written in one way only, whatever wrote it. */
function plainPart(part: string): string {
  if (part.startsWith('v:')) return `v:${JSON.stringify(JSON.parse(part.slice(2)))}`;
  return part.startsWith('k:') ? keyPart(JSON.parse(part.slice(2)) as Json) : part;
}

function union(a: Fields, b: Fields): Fields {
  const both: Record<string, Fields> = { ...a };
  for (const [written, inner] of Object.entries(b)) {
    const part = plainPart(written);
    both[part] = union(both[part] ?? {}, inner);
  }
  return both;
}

/** The fields of all entries that are wanted; undefined when there are none. */
export function fieldsOf(
  object: KubernetesObject,
  isWanted: (entry: ManagedFieldsEntry) => boolean,
): Fields | undefined {
  const { managedFields = [] } = object.metadata as { managedFields?: readonly ManagedFieldsEntry[] };
  const wanted = managedFields.filter(isWanted);
  if (wanted.length === 0) return undefined;
  return wanted.reduce<Fields>((all, { fieldsV1 = {} }) => union(all, fieldsV1), {});
}

/** Whether a field is tracked as a whole: a scalar, an atomic list or map, or one that is empty. */
export const isWhole = (fields: Fields): boolean => Object.keys(fields).length === 0;

/** How a list is tracked; undefined when it is atomic or nobody's. */
export function identityOf(fields: Fields | undefined): Identity | undefined {
  const parts = Object.keys(fields ?? {});
  if (parts.some((part) => part.startsWith('v:'))) {
    return { partOf: (item) => `v:${JSON.stringify(item)}`, keys: [] };
  }
  const keyed = parts.find((part) => part.startsWith('k:'));
  if (keyed === undefined) return undefined;
  const keys = Object.keys(JSON.parse(keyed.slice(2)) as Json);
  const keysOf = (item: unknown): Json => (isRecord(item) ? pick(item, keys) : {});
  return { partOf: (item) => keyPart(keysOf(item)), keys };
}

function pick(item: Json, names: readonly string[]): Json {
  return Object.fromEntries(names.filter((name) => Object.hasOwn(item, name)).map((name) => [name, item[name]]));
}

/** A part of an item, with what names the item. */
export function withKeys(part: unknown, item: unknown, { keys }: Identity): unknown {
  return isRecord(part) && isRecord(item) ? { ...pick(item, keys), ...part } : part;
}

/** A map that we own as a whole is ours but for the entries that are tracked each for itself, by others. */
function ownedWhole(value: unknown, all: Fields | undefined): unknown {
  if (!isRecord(value) || all === undefined || isWhole(all)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => all[`f:${name}`] === undefined));
}

function ownedItems(items: readonly unknown[], owned: Fields, all: Fields | undefined): unknown {
  const identity = identityOf(owned);
  if (identity === undefined) return items;
  return items.flatMap((item) => {
    const part = identity.partOf(item);
    const inner = owned[part];
    return inner === undefined ? [] : [withKeys(ownedPart(item, inner, all?.[part]), item, identity)];
  });
}

/**
 * The part of a value that is owned.
 *
 * @param all the fields of everybody, which tell a map that is tracked as a whole from one that was empty
 */
export function ownedPart(value: unknown, owned: Fields, all: Fields | undefined): unknown {
  if (isWhole(owned)) return ownedWhole(value, all);
  if (Array.isArray(value)) return ownedItems(value, owned, all);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).flatMap(([name, inner]) => {
    const fields = owned[`f:${name}`];
    return fields === undefined ? [] : [[name, ownedPart(inner, fields, all?.[`f:${name}`])] as const];
  });
  return Object.fromEntries(entries);
}
