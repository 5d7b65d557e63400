/**
 * What to send so that an object becomes what it shall be, and nobody loses a field of theirs.
 *
 *   current, wanted ──▶ apply: what is ours already, and what changes ──▶ API server
 *                 └───▶ removals: what shall go ────────────────────────▶ API server
 *
 * An apply could take away what is ours by no longer stating it, but not what others own too, and where
 * that leaves a map or a set of theirs empty, the API server (1.36) makes it null. So what goes is removed
 * by a JSON patch, whoever owned it. Nothing is stated that others own and that does not change.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '#resources/kind.ts';
import { authored } from './authored.ts';
import {
  fieldsOf,
  identityOf,
  isRecord,
  isWhole,
  ownedPart,
  withKeys,
  type Fields,
  type Json,
} from './owned-fields.ts';

/** What there is of a value: ours, all of it before and after, and how everybody's fields are tracked. */
interface Change {
  readonly ours: unknown;
  readonly before: unknown;
  readonly after: unknown;
  readonly all: Fields | undefined;
}

const fieldOf = (value: unknown, name: string): unknown =>
  isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** An atomic map has to be stated whole. */
const isAtomic = (value: Json, all: Fields | undefined): boolean =>
  all !== undefined && isWhole(all) && Object.keys(value).length > 0;

function statedFields({ ours, before, all }: Change, after: Json): Json | undefined {
  const names = new Set([...Object.keys(after), ...(isRecord(ours) ? Object.keys(ours) : [])]);
  const entries = [...names].flatMap((name) => {
    const inner = stated({
      ours: fieldOf(ours, name),
      before: fieldOf(before, name),
      after: fieldOf(after, name),
      all: all?.[`f:${name}`],
    });
    return inner === undefined ? [] : [[name, inner] as const];
  });
  return entries.length === 0 && !isRecord(ours) ? undefined : Object.fromEntries(entries);
}

function statedItems({ ours, before, all }: Change, after: readonly unknown[]): unknown {
  const identity = identityOf(all);
  if (identity === undefined) return after;
  const byPart = (items: unknown) =>
    new Map(Array.isArray(items) ? items.map((item: unknown) => [identity.partOf(item), item]) : []);
  const [ourItems, itemsBefore, itemsAfter] = [byPart(ours), byPart(before), byPart(after)];
  const items = [...new Map([...ourItems, ...itemsAfter])].flatMap(([part, item]) => {
    const change = { ours: ourItems.get(part), before: itemsBefore.get(part), after: itemsAfter.get(part) };
    const inner = stated({ ...change, all: all?.[part] });
    return inner === undefined ? [] : [withKeys(inner, item, identity)];
  });
  return items.length === 0 && ours === undefined ? undefined : items;
}

/** The part of a value that an apply states: what is ours, what of it shall go included, and what changes. */
function stated(change: Change): unknown {
  const { ours, before, after, all } = change;
  if (after === undefined || isDeepStrictEqual(before, after)) return ours;
  if (isRecord(before) && isRecord(after) && !isAtomic(before, all)) return statedFields(change, after);
  if (Array.isArray(before) && Array.isArray(after)) return statedItems(change, after);
  return after;
}

const pointer = (path: string, name: string): string => `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** A value before and after, and as it is now. */
interface Removal {
  readonly before: unknown;
  readonly after: unknown;
  readonly now: unknown;
  readonly all: Fields | undefined;
  readonly path: string;
}

function removedItems({ before, after, now, all, path }: Removal): string[] {
  const identity = identityOf(all);
  if (identity === undefined || !Array.isArray(before) || !Array.isArray(after) || !Array.isArray(now)) return [];
  const byPart = (items: readonly unknown[]) => new Map(items.map((item) => [identity.partOf(item), item]));
  const [itemsBefore, itemsAfter] = [byPart(before), byPart(after)];
  // From the last to the first: a removal moves what stands behind it.
  return [...now.keys()].reverse().flatMap((i) => {
    const part = identity.partOf(now[i]);
    if (!itemsBefore.has(part)) return [];
    const inner = { before: itemsBefore.get(part), after: itemsAfter.get(part), now: now[i] as unknown };
    return removed({ ...inner, all: all?.[part], path: `${path}/${i}` });
  });
}

/** JSON pointers of what was there, shall go and still is. */
function removed(removal: Removal): string[] {
  const { before, after, now, all, path } = removal;
  if (now === undefined || isDeepStrictEqual(before, after)) return [];
  if (after === undefined) return [path];
  if (!isRecord(before) || !isRecord(after) || isAtomic(before, all)) return removedItems(removal);
  return Object.keys(before).flatMap((name) =>
    removed({
      before: before[name],
      after: fieldOf(after, name),
      now: fieldOf(now, name),
      all: all?.[`f:${name}`],
      path: pointer(path, name),
    }),
  );
}

/** The part of an object that a manager owns, without what only names the object. */
export function extractOwned(object: KubernetesObject, manager: string): Json {
  const owned = fieldsOf(object, (entry) => entry.manager === manager && (entry.subresource ?? '') === '');
  if (owned === undefined) return {};
  return ownedPart(
    authored(object),
    owned,
    fieldsOf(object, () => true),
  ) as Json;
}

const naming = ({ apiVersion, kind, metadata }: KubernetesObject) => ({
  apiVersion,
  kind,
  metadata: { name: metadata.name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) },
});

/** No object has it, since etcd counts from 2: an apply that states it creates, or conflicts. */
const noVersion = '1';

/** The body of the apply that makes an object, and conflicts if there is one. */
export function creatingApply(wanted: KubernetesObject): KubernetesObject {
  return { ...wanted, metadata: { ...wanted.metadata, resourceVersion: noVersion } };
}

/**
 * The body of the apply that changes an object, and conflicts if it was changed or replaced meanwhile;
 * undefined when nothing of it would be new.
 */
export function changingApply(
  current: KubernetesObject,
  wanted: KubernetesObject,
  manager: string,
): KubernetesObject | undefined {
  const ours = extractOwned(current, manager);
  const all = fieldsOf(current, () => true);
  const state = stated({ ours, before: authored(current), after: wanted, all }) as Json | undefined;
  if (isDeepStrictEqual(state ?? {}, ours)) return undefined;
  const { uid, resourceVersion } = current.metadata;
  const { metadata, ...named } = naming(current);
  const given = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  const statedMetadata = fieldOf(state, 'metadata') as Json | undefined;
  return { ...state, ...named, metadata: { ...statedMetadata, ...metadata, ...given } };
}

/** One operation of a JSON patch (RFC 6902). */
export interface PatchOperation {
  readonly op: 'remove' | 'replace';
  readonly path: string;
  readonly value?: unknown;
}

/**
 * The JSON patch that takes away what was there, is no longer wanted and is there now; undefined when that
 * is nothing. It conflicts if the object has been changed since `now`.
 */
export function removalPatch(
  current: KubernetesObject,
  wanted: KubernetesObject,
  now: KubernetesObject,
): readonly PatchOperation[] | undefined {
  const all = fieldsOf(current, () => true);
  const paths = removed({ before: authored(current), after: wanted, now: authored(now), all, path: '' });
  if (paths.length === 0) return undefined;
  return [
    // Replacing it by what it is said to be is how a JSON patch states the version it is for.
    { op: 'replace', path: '/metadata/resourceVersion', value: now.metadata.resourceVersion },
    ...paths.map((path) => ({ op: 'remove' as const, path })),
  ];
}
