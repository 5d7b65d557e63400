/**
 * When each credential in force last opened a route, as far as the workers of this process saw it.
 *
 *   entries put and removed ──▶ who has which id ──┐
 *   uses, as workers tell them ────────────────────┴──▶ minutes ──▶ what is later than it was
 *
 * A credential that is gone takes its minute with it; so does a Secret that was made anew under its name. It has
 * no clock: the minute comes with the use.
 */
import { credentialKey, credentialPlace, type CredentialEntry, type CredentialPlace } from './credential-entry.ts';
import { minuteMs, type CredentialUse } from './credential-use.ts';
import type { GoneEntry, TableEntry } from './table-entry.ts';

/** A credential was used, later than was known. */
export interface LastUse extends CredentialPlace {
  /** Milliseconds since the epoch; a whole minute. */
  readonly atMs: number;
}

interface EntryChange {
  readonly put: readonly TableEntry[];
  readonly remove: readonly GoneEntry[];
}

/** Who is told of it. */
export interface LastUsedListener {
  /** Credentials that were used later than was known. */
  used(uses: readonly LastUse[]): void;
  /** Credentials that are gone, or were made anew under their names. */
  gone(credentials: readonly CredentialPlace[]): void;
}

/** The ids by which workers tell of a credential. */
type Ids = Omit<CredentialUse, 'minute'>;

/** See the head of this file. */
export function createLastUsed(listener: LastUsedListener) {
  /** By the keys of entries. */
  const ids = new Map<string, Ids>();
  /** Keys of the entries with an id. Nearly every id is that of one credential: a list is made only for a second. */
  const byId = new Map<string, string | readonly string[]>();
  /** By the key of the entry; of those alone that were used. */
  const minutes = new Map<string, number>();

  const allWith = (id: string): readonly string[] => {
    const found = byId.get(id) ?? [];
    return typeof found === 'string' ? [found] : found;
  };

  const add = ({ key, credentialId, consumer }: CredentialEntry): void => {
    const others = allWith(credentialId).filter((other) => other !== key);
    byId.set(credentialId, others.length === 0 ? key : [...others, key]);
    ids.set(key, { credentialId, consumerId: consumer.id });
  };

  const drop = (key: string): void => {
    const { credentialId = '' } = ids.get(key) ?? {};
    const others = allWith(credentialId).filter((other) => other !== key);
    const [first] = others;
    if (first === undefined) byId.delete(credentialId);
    else byId.set(credentialId, others.length === 1 ? first : others);
    ids.delete(key);
    minutes.delete(key);
  };

  const take = ({ credentialId, consumerId, minute }: CredentialUse): LastUse[] => {
    const key = allWith(credentialId).find((other) => ids.get(other)?.consumerId === consumerId);
    if (key === undefined || minute <= (minutes.get(key) ?? 0)) return [];
    minutes.set(key, minute);
    const place = credentialPlace(key);
    return place === undefined ? [] : [{ ...place, atMs: minute * minuteMs }];
  };

  const isAnew = ({ key, credentialId }: CredentialEntry): boolean => {
    const known = ids.get(key);
    return known !== undefined && known.credentialId !== credentialId;
  };

  return {
    /** Takes in a change of the table. */
    change({ put, remove }: EntryChange): void {
      const added = put.filter((entry) => entry.kind === 'credential');
      const kept = new Set(added.map(({ key }) => key));
      const removed = remove.filter(({ kind, key }) => kind === 'credential' && !kept.has(key));
      const gone = [...removed, ...added.filter(isAnew)].map(({ key }) => key);
      for (const key of gone) drop(key);
      for (const entry of added) add(entry);
      if (gone.length > 0) listener.gone(gone.flatMap((key) => credentialPlace(key) ?? []));
    },

    /** Takes in what a worker tells. Of what is gone nothing is kept. */
    take(uses: readonly CredentialUse[]): void {
      const later = uses.flatMap(take);
      if (later.length > 0) listener.used(later);
    },

    /** The minute in which a credential was last used, in milliseconds since the epoch; undefined where none was seen. */
    find(place: CredentialPlace): number | undefined {
      const minute = minutes.get(credentialKey(place));
      return minute === undefined ? undefined : minute * minuteMs;
    },
  };
}
