/**
 * Turns changes of objects into changes of the table, re-running just the roots concerned.
 *
 *   changes ──▶ store ──▶ reads that changed ──▶ facts ──▶ roots ──▶ translations ──▶ claims ──▶ output
 *
 * Every root's translation is a pure function of what it reads through its view. The engine remembers
 * those reads and runs a root again when one of them would answer differently, and only then. It knows no
 * kind and no meaning. Invariant: after any sequence of changes the entries and verdicts are those of a
 * translation of the same objects from nothing (test/changes.test.ts).
 */
import { Equal } from 'typebox/value';
import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import type { Problem, Verdict } from '#resources/verdict.ts';
import { createReads } from '#store/reads.ts';
import { createStore, type Recorded, type RecordedChange } from '#store/store.ts';
import { createView } from '#store/view.ts';
import { createClaims, type Claimant } from '#table/claims.ts';
import type { TableEntry } from '#table/table-entry.ts';
import { createFacts } from './facts.ts';
import { rootKind } from './roots.ts';
import { nothing, type Claim, type ClaimedEntry, type TranslateSettings, type Translation } from './translation.ts';

/** A bug of ours, caught for the one root that it hit. */
export interface Failure {
  readonly ref: Ref;
  readonly error: unknown;
}

/** What changed because of a batch of changes. */
export interface EngineOutput {
  /** Entries that are new or different. */
  readonly put: readonly TableEntry[];
  /** Entries that are gone, and the former version of each that is different. */
  readonly remove: readonly TableEntry[];
  readonly verdicts: readonly Verdict[];
  /** Objects that are gone, and their verdicts with them. */
  readonly forgotten: readonly Ref[];
  readonly failures: readonly Failure[];
  /** How many roots were translated. */
  readonly rootsRun: number;
}

interface Output {
  readonly put: TableEntry[];
  readonly remove: TableEntry[];
  readonly verdicts: Verdict[];
  readonly forgotten: Ref[];
  readonly failures: Failure[];
  rootsRun: number;
}

/** What is known about a root since it last ran. */
interface RootState {
  readonly ref: Ref;
  translation: Translation;
  /** Its entries in force; all that its translation yields, as nearly always, need no list. */
  entries: readonly TableEntry[] | 'all';
  verdict: Verdict | undefined;
}

interface RefClaimant extends Claimant {
  readonly holder: Ref;
  readonly shares: string | undefined;
}

/** Most roots yield nothing and have no problem: they share these. */
const noEntries: readonly TableEntry[] = [];
const noClaimedEntries: readonly ClaimedEntry[] = [];
const noProblems: readonly Problem[] = [];

/** See the head of this file. */
// oxlint-disable-next-line max-lines-per-function -- one subject: the steps of a batch over the state that they share
export function createEngine(settings: TranslateSettings) {
  const store = createStore();
  const reads = createReads();
  const { ingressClass } = settings;
  const facts = createFacts({ store, ingressClass }, reads);
  const viewOf = { store, ingressClass, factOf: facts.get };
  const claims = createClaims<RefClaimant>();
  const roots = new Map<string, RootState>();

  /** Translates one root. A bug in it costs no other root anything and leaves what it had in force. */
  const translate = (key: string, recorded: Recorded, failures: Failure[]): Translation => {
    const { ref, object, faults, notes } = recorded;
    const seen = new Set<string>(); // of itself a root need not read: a change of its object runs it anyway
    const context = { ref, view: createView(viewOf, seen), settings };
    const kind = rootKind(ref.kind);
    try {
      const translation =
        faults.length === 0
          ? kind.translate(object, context)
          : { entries: kind.translateInvalid?.(object, context) ?? noClaimedEntries, problems: faults };
      return kept(translation, notes);
    } catch (error) {
      failures.push({ ref, error });
      const last = roots.get(key)?.translation ?? nothing;
      return { ...last, problems: [...last.problems.filter(isUsersOwn), internalError] };
    } finally {
      reads.replace(key, seen);
    }
  };

  /** Replaces the claims of a root; gives the roots of everybody who claims the same things. */
  const replaceClaims = (key: string, before: readonly ClaimedEntry[], after: readonly ClaimedEntry[]): string[] => [
    ...claimsOf(before).flatMap((claim) => claims.remove(claim.key, claim.owner)),
    ...claimsOf(after).flatMap(({ key: thing, owner, rank, holder, shares }) =>
      claims.put(thing, { owner, rank, holder, rootKey: key, shares }),
    ),
  ];

  /** Runs a root and gives the roots whose claims are touched by that. */
  const run = (key: string, recorded: Recorded, output: Output): string[] => {
    const state = roots.get(key) ?? { ref: recorded.ref, translation: nothing, entries: noEntries, verdict: undefined };
    const before = state.translation.entries;
    state.entries = entriesOf(state); // as a list: what is `all` changes now
    state.translation = translate(key, recorded, output.failures);
    roots.set(key, state);
    output.rootsRun += 1;
    return replaceClaims(key, before, state.translation.entries);
  };

  /** Forgets a root whose object is gone and gives the roots whose claims are touched by that. */
  const forget = (key: string, output: Output): string[] => {
    const state = roots.get(key);
    if (state === undefined) return [];
    roots.delete(key);
    reads.replace(key, new Set());
    output.remove.push(...entriesOf(state));
    output.forgotten.push(state.ref);
    return replaceClaims(key, state.translation.entries, []);
  };

  /** Finds which entries of a root are in force, and its verdict, now that all claims are made. */
  const settle = (state: RootState | undefined, output: Output): void => {
    if (state === undefined) return; // forgotten in this very batch
    const { inForce, conflicts } = settleClaims(state.translation, claims.holderOf);
    emitChanges(entriesOf(state), inForce, output);
    state.entries = inForce.length === state.translation.entries.length ? 'all' : inForce;
    const verdict = verdictOf(state, store.find(state.ref)?.object.metadata.generation, conflicts);
    if (!Equal(state.verdict, verdict)) output.verdicts.push(verdict);
    state.verdict = verdict;
  };

  return {
    store,

    /** Takes changes in as one and gives all that changes because of them. */
    apply(changes: readonly RecordedChange[]): EngineOutput {
      const touched = new Set(changes.flatMap((change) => store.record(change)));
      const refs = new Map(changes.map(({ ref }) => [refKey(ref), ref]));
      const output = emptyOutput();
      const toSettle = new Set<string>();
      for (const key of new Set([...refs.keys(), ...facts.rootsConcerned(touched)])) {
        const ref = roots.get(key)?.ref ?? refs.get(key);
        const recorded = ref === undefined ? undefined : store.find(ref);
        const others = recorded === undefined ? forget(key, output) : run(recorded.key, recorded, output);
        for (const other of [key, ...others]) toSettle.add(other);
      }
      for (const key of toSettle) settle(roots.get(key), output);
      return output;
    },

    /** All verdicts there are. */
    verdicts(): Verdict[] {
      return [...roots.values()].flatMap((state) => (state.verdict === undefined ? [] : [state.verdict]));
    },

    /** All entries in force. */
    entries(): TableEntry[] {
      return [...roots.values()].flatMap((state) => entriesOf(state));
    },
  };
}

const entriesOf = ({ entries, translation }: RootState): readonly TableEntry[] =>
  entries === 'all' ? translation.entries.map(({ entry }) => entry) : entries;

const emptyOutput = (): Output => ({ put: [], remove: [], verdicts: [], forgotten: [], failures: [], rootsRun: 0 });

const internalError: Problem = {
  reason: 'InternalError',
  message: 'Latchkey failed on this object because of a bug of its own; the log has the details',
  effect: 'last good version in force',
};

const isUsersOwn = (problem: Problem): boolean => problem.reason !== 'InternalError';

/** A translation as it is kept; one of a root that yields nothing and has no problem takes no memory. */
function kept(translation: Translation, notes: readonly Problem[]): Translation {
  const { entries, notOurs, ancestors } = translation;
  const problems = joined(translation.problems, notes);
  const isNothing = entries.length === 0 && problems.length === 0 && notOurs === undefined && ancestors === undefined;
  return isNothing ? nothing : { ...translation, problems };
}

const claimsOf = (entries: readonly ClaimedEntry[]): Claim[] => entries.flatMap((entry) => entry.claims);

/** The entries that hold all they claim, and a problem for each claim that is lost. */
function settleClaims(translation: Translation, holderOf: (thing: string) => RefClaimant | undefined) {
  const inForce: TableEntry[] = [];
  const conflicts = new Map<string, Problem>();
  for (const { entry, claims } of translation.entries) {
    const lost = claims.filter((claim) => !hasIt(claim, holderOf(claim.key)));
    if (lost.length === 0) inForce.push(entry);
    for (const claim of lost) conflicts.set(claim.key, conflict(claim, holderOf(claim.key)?.holder));
  }
  // A copy: what grew keeps room for sixteen more.
  return { inForce: inForce.slice(), conflicts: conflicts.size === 0 ? noProblems : [...conflicts.values()] };
}

/** Whether a claim is met: it won, or it wants just what the winner has. */
function hasIt({ owner, shares }: Claim, holder: RefClaimant | undefined): boolean {
  return holder?.owner === owner || (shares !== undefined && holder?.shares === shares);
}

function conflict(claim: Claim, holder: Ref | undefined): Problem {
  const by = holder === undefined ? 'an older object' : formatRef(holder);
  return {
    reason: 'Conflict',
    field: claim.field,
    ...(holder === undefined ? {} : { about: holder }),
    message: `${claim.field}: ${claim.what} is already held by ${by}, which is older`,
    effect: claim.effect,
  };
}

function emitChanges(before: readonly TableEntry[], after: readonly TableEntry[], output: Output): void {
  const old = new Map(before.map((entry) => [entry.key, entry]));
  const now = new Map(after.map((entry) => [entry.key, entry]));
  for (const [key, entry] of old) if (!Equal(entry, now.get(key))) output.remove.push(entry);
  for (const [key, entry] of now) if (!Equal(entry, old.get(key))) output.put.push(entry);
}

/** Both lists in one; nothing new where one of them is empty, as nearly always. */
function joined(some: readonly Problem[], more: readonly Problem[]): readonly Problem[] {
  if (more.length === 0) return some.length === 0 ? noProblems : some;
  return some.length === 0 ? more : [...some, ...more];
}

function verdictOf(state: RootState, generation: number | undefined, conflicts: readonly Problem[]): Verdict {
  const { problems, timed, notOurs, ancestors } = state.translation;
  return {
    ref: state.ref,
    generation,
    problems: joined(problems, conflicts),
    ...(timed === undefined ? {} : { timed }),
    ...(notOurs === undefined ? {} : { notOurs }),
    ...(ancestors === undefined ? {} : { ancestors }),
  };
}
