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
import type { CredentialUse } from './credential-use.ts';
import type { TableEntry } from './table-entry.ts';

/** A credential was used, later than was known. */
export interface LastUse extends CredentialPlace {
  /** Whole minutes since the epoch. */
  readonly minute: number;
}

/** See the head of this file. */
export function createLastUsed() {
  /** Nearly every id is that of one credential: a list is made only for a second. */
  const byId = new Map<string, CredentialEntry | readonly CredentialEntry[]>();
  /** By the key of the entry; of those alone that were used. */
  const minutes = new Map<string, number>();

  const allWith = (id: string): readonly CredentialEntry[] => [byId.get(id) ?? []].flat();

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
    return place === undefined ? [] : [{ ...place, minute }];
  };

  return {
    /** Takes in a change of the table. */
    change({ put, remove }: { readonly put: readonly TableEntry[]; readonly remove: readonly TableEntry[] }): void {
      const removed = remove.filter((entry) => entry.kind === 'credential');
      const added = put.filter((entry) => entry.kind === 'credential');
      const idByKey = new Map(added.map(({ key, credentialId }) => [key, credentialId]));
      for (const entry of removed) {
        drop(entry);
        if (idByKey.get(entry.key) !== entry.credentialId) minutes.delete(entry.key);
      }
      for (const entry of added) add(entry);
    },

    /** Takes in what a worker tells; gives what is later than what was known. Of what is gone nothing is kept. */
    take: (uses: readonly CredentialUse[]): LastUse[] => uses.flatMap(take),

    /** The minute since the epoch in which a credential was last used; undefined where no use was seen. */
    minuteOf: (place: CredentialPlace): number | undefined => minutes.get(credentialKey(place)),
  };
}

export type LastUsed = ReturnType<typeof createLastUsed>;
