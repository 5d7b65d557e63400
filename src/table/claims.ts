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
 *
 * Nearly every thing is wanted by one owner. Of such a thing the root alone is kept.
 *
 * @param recall gives what a root claims of a thing, which had nobody else who wants it until now
 */
export function createClaims<C extends Claimant>(recall: (rootKey: string, thing: string) => readonly C[]) {
  const claimants = new Map<string, string | readonly C[]>();

  const replace = (thing: string, list: readonly C[]): void => {
    const [first] = list;
    if (first === undefined) claimants.delete(thing);
    else claimants.set(thing, list.length === 1 ? first.rootKey : list);
  };

  return {
    /** Sets what a root claims of a thing. Gives the other roots that claim it. */
    put(thing: string, rootKey: string, own: readonly C[]): string[] {
      const found = claimants.get(thing);
      const isOther = typeof found === 'string' && found !== rootKey;
      const all = isOther ? recall(found, thing) : typeof found === 'object' ? found : [];
      const others = all.filter((other) => other.rootKey !== rootKey);
      replace(thing, [...others, ...oneEach(own)].sort(byRank));
      // One whose claim cannot be recalled has lost it, and is to be told.
      return isOther ? [found] : others.map((other) => other.rootKey);
    },

    /** Takes back what a root claims of a thing. Gives the other roots that claim it. */
    remove(thing: string, rootKey: string): string[] {
      const found = claimants.get(thing);
      if (found === rootKey) claimants.delete(thing);
      if (found === undefined || typeof found === 'string') return [];
      const others = found.filter((other) => other.rootKey !== rootKey);
      replace(thing, others);
      return others.map((other) => other.rootKey);
    },

    /** Who has it: the root, if it is the only one and claims it once. */
    holderOf(thing: string): string | C | undefined {
      const found = claimants.get(thing);
      return typeof found === 'string' ? found : found?.[0];
    },
  };
}

const oneEach = <C extends Claimant>(claims: readonly C[]): C[] => [
  ...new Map(claims.map((claim) => [claim.owner, claim])).values(),
];

function byRank(a: Claimant, b: Claimant): number {
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1;
  return a.owner < b.owner ? -1 : 1;
}
