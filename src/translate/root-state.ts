import type { Ref } from '#resources/ref.ts';
import type { Problem, Verdict } from '#resources/verdict.ts';
import { unpackList, type PackedList } from '#store/packed-list.ts';
import type { ReadNames } from '#store/reads.ts';
import { credentialMark, markedCredential, type CredentialEntry } from '#table/credential-entry.ts';
import type { GoneEntry, TableEntry } from '#table/table-entry.ts';
import type { Translation } from './translation.ts';

/**
 * What is known about a root since it last ran. Of a million roots nearly all are ordinary: nothing is wrong with
 * them, and nobody else wants what they claim. The translation of such a root is had again from its objects when
 * somebody does; kept, it would be most of the memory.
 */
export interface RootState {
  readonly ref: Ref;
  /** All that it comes to. `failed`: it was ordinary before a bug of ours came in its way. */
  translation: Translation | 'ordinary' | 'failed';
  reads: ReadNames;
  /** Keys of all that it claims, each once. */
  things: PackedList<string>;
  inForce: PackedList<KeptEntry>;
  verdict: KeptVerdict | undefined;
}

/** An entry in force; of a credential its mark. */
export type KeptEntry = Exclude<TableEntry, CredentialEntry> | string;

/** A verdict; if nothing is to be told but that the object is in force, its generation, null if it has none. */
type KeptVerdict = Verdict | number | null;

const none: readonly never[] = [];
const noProblems: readonly Problem[] = none;

/** Both lists in one; nothing new where one of them is empty, as nearly always. */
export function joined(some: readonly Problem[], more: readonly Problem[]): readonly Problem[] {
  if (more.length === 0) return some.length === 0 ? noProblems : some;
  return some.length === 0 ? more : [...some, ...more];
}

/** A root that never ran. */
export const newState = (ref: Ref): RootState => ({
  ref,
  translation: { entries: none, problems: none },
  reads: none,
  things: none,
  inForce: none,
  verdict: undefined,
});

/** Whether nothing is to be told of an object but that it is in force. */
export function isOrdinary({ problems, timed, notOurs, ancestors }: Omit<Verdict, 'ref' | 'generation'>): boolean {
  return problems.length === 0 && timed === undefined && notOurs === undefined && ancestors === undefined;
}

export function keptVerdict(verdict: Verdict): KeptVerdict {
  return isOrdinary(verdict) ? (verdict.generation ?? null) : verdict;
}

/** The verdict as it was kept; undefined while there is none. */
export function verdictOf({ ref, verdict }: RootState): Verdict | undefined {
  if (verdict === undefined || (typeof verdict === 'object' && verdict !== null)) return verdict;
  return { ref, generation: verdict ?? undefined, problems: noProblems };
}

export function keptEntry(entry: TableEntry): KeptEntry {
  return entry.kind === 'credential' ? credentialMark(entry) : entry;
}

/** What a root has in force. */
export function entriesInForce({ ref, inForce }: RootState): GoneEntry[] {
  return unpackList(inForce).map((entry) => (typeof entry === 'string' ? markedCredential(entry, ref) : entry));
}
