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
import { refKey, refOfKey, type Ref } from '#resources/ref.ts';
import { isOrdinary, packVerdict, type Problem, type Verdict } from '#resources/verdict.ts';
import { packList, unpackList } from '#store/packed-list.ts';
import { createReads } from '#store/reads.ts';
import { createStore, type Recorded, type RecordedChange } from '#store/store.ts';
import { createView } from '#store/view.ts';
import { createClaims } from '#table/claims.ts';
import type { GoneEntry, TableEntry } from '#table/table-entry.ts';
import { createFacts } from './facts.ts';
import { entriesInForce, joined, keptEntry, newState, verdictOf, type RootState } from './root-state.ts';
import { rootKind } from './roots.ts';
import { claimantsOf, emitChanges, settleClaims, type RefClaimant } from './settle.ts';
import { nothing, type TranslateSettings, type Translation } from './translation.ts';

/** A bug of ours, caught for the one root that it hit. */
export interface Failure {
  readonly ref: Ref;
  readonly error: unknown;
}

/** What changed because of a batch of changes. */
export interface EngineOutput {
  /** Entries that are new or different; of credentials all that were translated. */
  readonly put: readonly TableEntry[];
  /** Entries that are gone, and the former version of each that is different; of credentials no former ones. */
  readonly remove: readonly GoneEntry[];
  readonly verdicts: readonly Verdict[];
  /** Objects that are gone, and their verdicts with them. */
  readonly forgotten: readonly Ref[];
  readonly failures: readonly Failure[];
  /** How many roots were translated. */
  readonly rootsRun: number;
}

interface Output {
  readonly put: TableEntry[];
  readonly remove: GoneEntry[];
  readonly verdicts: Verdict[];
  readonly forgotten: Ref[];
  readonly failures: Failure[];
  rootsRun: number;
}

/** See the head of this file. */
// oxlint-disable-next-line max-lines-per-function -- one subject: the steps of a batch over the state that they share
export function createEngine(settings: TranslateSettings) {
  const store = createStore();
  const reads = createReads();
  const { ingressClass } = settings;
  const facts = createFacts({ store, ingressClass }, reads);
  const viewOf = { store, ingressClass, factOf: facts.get };
  const roots = new Map<string, RootState>();

  /** Translates one root; `seen` gets what it reads. @throws what a bug in it throws */
  const translate = ({ ref, object, faults, notes }: Recorded, seen: Set<string>): Translation => {
    const context = { ref, view: createView(viewOf, seen), settings };
    const kind = rootKind(ref.kind);
    const translation =
      faults.length === 0
        ? kind.translate(object, context)
        : { entries: kind.translateInvalid?.(object, context) ?? [], problems: faults };
    return { ...translation, problems: joined(translation.problems, notes) };
  };

  /** The translation of a root as it last ran; undefined if it failed then, or is to run again in this batch. */
  const recall = (key: string): Translation | undefined => {
    const state = roots.get(key);
    if (state === undefined || state.translation === 'failed') return undefined;
    if (state.translation !== 'ordinary') return state.translation;
    const recorded = store.findByKey(key);
    try {
      return recorded === undefined ? undefined : translate(recorded, new Set());
    } catch {
      return undefined; // of what changed meanwhile, which its own run tells
    }
  };

  const claims = createClaims<RefClaimant>((rootKey, thing) =>
    claimantsOf(rootKey, recall(rootKey) ?? nothing).filter((claimant) => claimant.thing === thing),
  );

  /** Replaces the claims of a root; gives the roots of everybody who claims the same things. */
  const replaceClaims = (key: string, state: RootState, after: readonly RefClaimant[]): string[] => {
    const byThing = Map.groupBy(after, ({ thing }) => thing);
    const gone = unpackList(state.things).filter((thing) => !byThing.has(thing));
    state.things = packList([...byThing.keys()]);
    return [
      ...gone.flatMap((thing) => claims.remove(thing, key)),
      ...[...byThing].flatMap(([thing, own]) => claims.put(thing, key, own)),
    ];
  };

  /**
   * Runs a root and gives the roots whose claims are touched by that. A bug in it costs no other root anything
   * and leaves what it had in force.
   */
  const run = (recorded: Recorded, output: Output): string[] => {
    const { key } = recorded;
    const state = roots.get(key) ?? newState();
    const seen = new Set<string>(); // of itself a root need not read: a change of its object runs it anyway
    roots.set(key, state);
    output.rootsRun += 1;
    try {
      state.translation = translate(recorded, seen);
    } catch (error) {
      output.failures.push({ ref: recorded.ref, error });
      state.translation = failedAfter(state.translation);
      return [];
    } finally {
      state.reads = reads.replace(key, state.reads, seen);
    }
    return replaceClaims(key, state, claimantsOf(key, state.translation));
  };

  /** Forgets a root whose object is gone and gives the roots whose claims are touched by that. */
  const forget = (key: string, output: Output): string[] => {
    const state = roots.get(key);
    if (state === undefined) return [];
    roots.delete(key);
    reads.replace(key, state.reads, new Set());
    output.remove.push(...entriesInForce(key, state));
    output.forgotten.push(refOfKey(key));
    return replaceClaims(key, state, []);
  };

  /** Sets what a root has in force. */
  const enforce = (key: string, state: RootState, entries: readonly TableEntry[], output: Output): void => {
    emitChanges(entriesInForce(key, state), entries, output);
    state.inForce = packList(entries.map(keptEntry));
  };

  /** Finds which entries of a root are in force, now that all claims are made; gives what its verdict tells. */
  const settleEntries = (key: string, state: RootState, output: Output): Told => {
    const isAlone = unpackList(state.things).every((thing) => claims.holderOf(thing) === key);
    const translation = recall(key);
    if (translation === undefined) {
      // What it claims cannot be weighed against what others do.
      if (!isAlone) enforce(key, state, [], output);
      state.translation = 'failed';
      return { problems: [internalError] };
    }
    const { inForce, conflicts } = settleClaims(key, translation, claims.holderOf);
    enforce(key, state, inForce, output);
    const told = toldOf(translation, conflicts);
    state.translation = isAlone && isOrdinary(told) ? 'ordinary' : translation;
    return told;
  };

  /** Finds what a root has in force, and its verdict. */
  const settle = (key: string, output: Output): void => {
    const state = roots.get(key);
    const recorded = store.findByKey(key);
    if (state === undefined || recorded === undefined) return; // forgotten in this very batch
    const told = settleEntries(key, state, output);
    const verdict = { ref: recorded.ref, generation: recorded.object.metadata.generation, ...told };
    if (!Equal(verdictOf(key, state), verdict)) output.verdicts.push(verdict);
    state.verdict = packVerdict(verdict);
  };

  /** The entries of a root in force, those of credentials translated again. */
  const entriesOf = (key: string, state: RootState): TableEntry[] => {
    const translated = new Map(recall(key)?.entries.map(({ entry }) => [entry.key, entry]));
    return entriesInForce(key, state).flatMap((entry) =>
      entry.kind === 'credential' ? (translated.get(entry.key) ?? []) : entry,
    );
  };

  return {
    store,

    /** Takes changes in as one and gives all that changes because of them. */
    apply(changes: readonly RecordedChange[]): EngineOutput {
      const touched = new Set(changes.flatMap((change) => store.record(change)));
      const output = emptyOutput();
      const toSettle = new Set<string>();
      for (const key of new Set([...changes.map(({ ref }) => refKey(ref)), ...facts.rootsConcerned(touched)])) {
        const recorded = store.findByKey(key);
        const others = recorded === undefined ? forget(key, output) : run(recorded, output);
        for (const other of [key, ...others]) toSettle.add(other);
      }
      for (const key of toSettle) settle(key, output);
      return output;
    },

    /** All verdicts there are. */
    verdicts(): Verdict[] {
      return [...roots].flatMap(([key, state]) => verdictOf(key, state) ?? []);
    },

    /** All entries in force. */
    entries(): TableEntry[] {
      return [...roots].flatMap(([key, state]) => entriesOf(key, state));
    },
  };
}

const emptyOutput = (): Output => ({ put: [], remove: [], verdicts: [], forgotten: [], failures: [], rootsRun: 0 });

const internalError: Problem = {
  reason: 'InternalError',
  message: 'Latchkey failed on this object because of a bug of its own; the log has the details',
  effect: 'last good version in force',
};

const isUsersOwn = (problem: Problem): boolean => problem.reason !== 'InternalError';

/** What becomes of a translation when the next one fails. */
function failedAfter(last: RootState['translation']): Translation | 'failed' {
  if (typeof last === 'string') return 'failed';
  return { ...last, problems: [...last.problems.filter(isUsersOwn), internalError] };
}

type Told = Omit<Verdict, 'ref' | 'generation'>;

/** What the verdict on an object tells. */
function toldOf({ problems, timed, notOurs, ancestors }: Translation, conflicts: readonly Problem[]): Told {
  return {
    problems: joined(problems, conflicts),
    ...(timed === undefined ? {} : { timed }),
    ...(notOurs === undefined ? {} : { notOurs }),
    ...(ancestors === undefined ? {} : { ancestors }),
  };
}
