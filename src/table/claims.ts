/** Somebody who wants a thing that only one can have. */
export interface Claimant {
  /** Who holds the thing if this claim wins. Several claims of one owner are one claim. */
  readonly owner: string;
  /** The root behind it; it is the one to be told. */
  readonly rootKey: string;
  /** The smallest rank has it: creation time, then namespace/name. */
  readonly rank: string;
}

/**
 * Settles who has what when several want it: the same key on two consumers, the same host and path in two
 * Ingresses. The claimant with the smallest rank holds it; when it goes, the next takes over. The outcome
 * depends on who claims, never on the order in which they came.
 */
export function createClaims<C extends Claimant>() {
  /** Nearly every thing has one claimant: an array is made only for a second. */
  const claimants = new Map<string, C | C[]>();

  const allOf = (thing: string): readonly C[] => {
    const found = claimants.get(thing);
    return found === undefined ? [] : Array.isArray(found) ? found : [found];
  };

  const replace = (thing: string, list: C[]): void => {
    const [first] = list;
    if (first === undefined) claimants.delete(thing);
    else claimants.set(thing, list.length === 1 ? first : list);
  };

  return {
    /** Adds a claim, or changes its rank. Gives the roots of the other claimants. */
    put(thing: string, claimant: C): string[] {
      const others = allOf(thing).filter((other) => other.owner !== claimant.owner);
      replace(thing, [...others, claimant].sort(byRank));
      return others.map((other) => other.rootKey);
    },

    /** Takes a claim back. Gives the roots of the other claimants. */
    remove(thing: string, owner: string): string[] {
      const others = allOf(thing).filter((other) => other.owner !== owner);
      replace(thing, others);
      return others.map((other) => other.rootKey);
    },

    /** Who has it. */
    holderOf: (thing: string): C | undefined => allOf(thing)[0],
  };
}

function byRank(a: Claimant, b: Claimant): number {
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1;
  return a.owner < b.owner ? -1 : 1;
}
