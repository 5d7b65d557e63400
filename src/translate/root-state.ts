import { refOfKey } from '#resources/ref.ts';
import { unpackVerdict, type PackedVerdict, type Problem, type Verdict } from '#resources/verdict.ts';
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
  /** All that it comes to. `failed`: it was ordinary before a bug of ours came in its way. */
  translation: Translation | 'ordinary' | 'failed';
  reads: ReadNames;
  /** Keys of all that it claims, each once. */
  things: PackedList<string>;
  inForce: PackedList<KeptEntry>;
  verdict: PackedVerdict | undefined;
}

/** An entry in force; of a credential its mark. */
export type KeptEntry = Exclude<TableEntry, CredentialEntry> | string;

const none: readonly never[] = [];
const noProblems: readonly Problem[] = none;

/** Both lists in one; nothing new where one of them is empty, as nearly always. */
export function joined(some: readonly Problem[], more: readonly Problem[]): readonly Problem[] {
  if (more.length === 0) return some.length === 0 ? noProblems : some;
  return some.length === 0 ? more : [...some, ...more];
}

/** A root that never ran. */
export const newState = (): RootState => ({
  translation: { entries: none, problems: none },
  reads: none,
  things: none,
  inForce: none,
  verdict: undefined,
});

/** The verdict of a root; undefined while there is none. */
export function verdictOf(key: string, { verdict }: RootState): Verdict | undefined {
  return verdict === undefined ? undefined : unpackVerdict(refOfKey(key), verdict);
}

export function keptEntry(entry: TableEntry): KeptEntry {
  return entry.kind === 'credential' ? credentialMark(entry) : entry;
}

/** What a root has in force. */
export function entriesInForce(key: string, { inForce }: RootState): GoneEntry[] {
  return unpackList(inForce).map((entry) =>
    typeof entry === 'string' ? markedCredential(entry, refOfKey(key)) : entry,
  );
}
