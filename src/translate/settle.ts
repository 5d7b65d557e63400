import { Equal } from 'typebox/value';
import { formatRef, type Ref } from '#resources/ref.ts';
import type { Problem } from '#resources/verdict.ts';
import type { Claimant } from '#table/claims.ts';
import type { GoneEntry, TableEntry } from '#table/table-entry.ts';
import type { Claim, Translation } from './translation.ts';

/** A claim as `table/claims.ts` settles it. */
export interface RefClaimant extends Claimant {
  readonly thing: string;
  readonly holder: Ref;
  readonly shares: string | undefined;
}

/** Who has a thing: see `createClaims`. */
type HolderOf = (thing: string) => string | RefClaimant | undefined;

const claimsOf = ({ claims = [], entries }: Translation): Claim[] => [
  ...claims,
  ...entries.flatMap((entry) => entry.claims),
];

/** All claims of a root. */
export function claimantsOf(rootKey: string, translation: Translation): RefClaimant[] {
  return claimsOf(translation).map(({ key, owner, rank, holder, shares }) => ({
    thing: key,
    owner,
    rank,
    rootKey,
    holder,
    shares,
  }));
}

/** The entries of a root that hold all they claim, and a problem for each claim that is lost. */
export function settleClaims(rootKey: string, translation: Translation, holderOf: HolderOf) {
  const conflicts = new Map<string, Problem>();
  const lose = (claims: readonly Claim[]): boolean => {
    const lost = claims.filter((claim) => !hasIt(claim, rootKey, holderOf(claim.key)));
    for (const claim of lost) conflicts.set(claim.key, conflict(claim, holderOf(claim.key)));
    return lost.length > 0;
  };
  const isLost = lose(translation.claims ?? []);
  const won = translation.entries.filter(({ claims }) => !lose(claims));
  return { inForce: isLost ? [] : won.map(({ entry }) => entry), conflicts: [...conflicts.values()] };
}

/** Whether a claim of a root is met: nobody else has one, it won, or it wants just what the winner has. */
function hasIt({ owner, shares }: Claim, rootKey: string, holder: string | RefClaimant | undefined): boolean {
  if (holder === undefined || typeof holder === 'string') return holder === rootKey;
  return holder.owner === owner || (shares !== undefined && holder.shares === shares);
}

function conflict(claim: Claim, winner: string | RefClaimant | undefined): Problem {
  const holder = typeof winner === 'object' ? winner.holder : undefined;
  const by = holder === undefined ? 'an older object' : formatRef(holder);
  return {
    reason: 'Conflict',
    field: claim.field,
    ...(holder === undefined ? {} : { about: holder }),
    message: `${claim.field}: ${claim.what} is already held by ${by}, which is older`,
    effect: claim.effect,
  };
}

/** What goes to the table and leaves it. */
interface EntryChanges {
  readonly put: TableEntry[];
  readonly remove: GoneEntry[];
}

/**
 * Tells how what a root has in force changes. A credential that was translated is put whether or not it is the same:
 * what is kept of the former does not tell, and the index takes the same again for nothing.
 */
export function emitChanges(
  before: readonly GoneEntry[],
  after: readonly TableEntry[],
  { put, remove }: EntryChanges,
): void {
  const old = new Map(before.map((entry) => [entry.key, entry]));
  const now = new Map(after.map((entry) => [entry.key, entry]));
  for (const [key, entry] of old) if (!isSame(entry, now.get(key))) remove.push(entry);
  for (const [key, entry] of now) {
    if (entry.kind === 'credential' || !isSame(entry, old.get(key))) put.push(entry);
  }
}

const isSame = (entry: GoneEntry, other: GoneEntry | undefined): boolean =>
  entry.kind === 'credential' ? other?.kind === 'credential' && other.digest === entry.digest : Equal(entry, other);
