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
import type { TableEntry } from './table-entry.ts';

/** A credential was used, later than was known. */
export interface LastUse extends CredentialPlace {
  /** Milliseconds since the epoch; a whole minute. */
  readonly atMs: number;
}

interface EntryChange {
  readonly put: readonly TableEntry[];
  readonly remove: readonly TableEntry[];
}

/** Who is told of it. */
export interface LastUsedListener {
  /** Credentials that were used later than was known. */
  used(uses: readonly LastUse[]): void;
  /** Credentials that are gone, or were made anew under their names. */
  gone(credentials: readonly CredentialPlace[]): void;
}

/** See the head of this file. */
export function createLastUsed(listener: LastUsedListener) {
  /** Nearly every id is that of one credential: a list is made only for a second. */
  const byId = new Map<string, CredentialEntry | readonly CredentialEntry[]>();
  /** By the key of the entry; of those alone that were used. */
  const minutes = new Map<string, number>();

  const allWith = (id: string): readonly CredentialEntry[] => {
    const found = byId.get(id);
    if (found === undefined) return [];
    return 'kind' in found ? [found] : found;
  };

  const add = (entry: CredentialEntry): void => {
    const others = allWith(entry.credentialId);
    byId.set(entry.credentialId, others.length === 0 ? entry : [...others, entry]);
  };

  const drop = ({ credentialId, key }: CredentialEntry): void => {
    const others = allWith(credentialId).filter((other) => other.key !== key);
    const [first] = others;
    if (first === undefined) byId.delete(credentialId);
    else byId.set(credentialId, others.length === 1 ? first : others);
  };

  const take = ({ credentialId, consumerId, minute }: CredentialUse): LastUse[] => {
    const entry = allWith(credentialId).find(({ consumer }) => consumer.id === consumerId);
    if (entry === undefined || minute <= (minutes.get(entry.key) ?? 0)) return [];
    minutes.set(entry.key, minute);
    const place = credentialPlace(entry.key);
    return place === undefined ? [] : [{ ...place, atMs: minute * minuteMs }];
  };

  return {
    /** Takes in a change of the table. */
    change({ put, remove }: EntryChange): void {
      const removed = remove.filter((entry) => entry.kind === 'credential');
      const added = put.filter((entry) => entry.kind === 'credential');
      const idByKey = new Map(added.map(({ key, credentialId }) => [key, credentialId]));
      for (const entry of removed) drop(entry);
      for (const entry of added) add(entry);
      const gone = removed.filter(({ key, credentialId }) => idByKey.get(key) !== credentialId);
      for (const { key } of gone) minutes.delete(key);
      if (gone.length > 0) listener.gone(gone.flatMap(({ key }) => credentialPlace(key) ?? []));
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
