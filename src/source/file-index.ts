/**
 * Which objects stand in which files, which of several places is in force, and what was delivered.
 *
 *   files as read ──▶ places ──▶ compared with what was delivered ──▶ changes, moves, files to read again
 *
 * It keeps names, places and keyed digests; no object and no text. Invariant: of the places of an object
 * the first by path, line and column is in force, whatever the order in which the files were read. (A file
 * that cannot be parsed now keeps its place, but only for what was delivered from it before.)
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { KubernetesObject } from '#resources/kind.ts';
import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import type { Problem } from '#resources/verdict.ts';
import type { Manifest, UnknownKind } from './manifest-file.ts';
import { compareOrigins, createPlaces, formatPlace, type Standing } from './places.ts';
import type { Change, FileProblem, Move } from './source.ts';

/** What a file turned out to hold. Unreadable: what it held when it could last be read is still its. */
export type ReadFile = Manifest | 'gone' | 'unreadable';

/** What has to be told, and done, because of what was read. */
export interface IndexChange {
  readonly changes: readonly Change[];
  /** Objects that are what they were, but stand elsewhere. */
  readonly moves: readonly Move[];
  /** Files that hold objects which are now in force, but were not read this time. */
  readonly toRead: readonly string[];
}

interface IndexedFile {
  standings: readonly Standing[];
  problems: readonly FileProblem[];
  unknownKinds: readonly UnknownKind[];
  isReadable: boolean;
}

/** What was delivered of an object. */
interface Delivered {
  readonly standing: Standing;
  /** What was said of its standing in several places; '' when it stands in one. */
  readonly note: string;
}

/** The objects that were just read; they are forgotten with it. */
type Fresh = ReadonlyMap<Standing, KubernetesObject>;

function noteOn(places: readonly Standing[], taken: Standing): string {
  if (places.length < 2) return '';
  const all = places.map(({ origin }) => formatPlace(origin)).join(' and ');
  return `stands in ${places.length} places: ${all}; the one in ${formatPlace(taken.origin)} is in force`;
}

function problemsOf(note: string): Problem[] {
  return note === '' ? [] : [{ reason: 'DuplicateObject', message: note, effect: 'the first is in force' }];
}

interface State {
  readonly digestKey: Buffer;
  readonly files: Map<string, IndexedFile>;
  /** Those of the files that have problems or objects of unknown kinds: mostly none. */
  readonly flawed: Map<string, IndexedFile>;
  readonly places: ReturnType<typeof createPlaces>;
  readonly delivered: Map<string, Delivered>;
}

function isReadable({ files }: State, file: string): boolean {
  return files.get(file)?.isReadable === true;
}

/** The place that an object is taken from, by its `refKey`. */
function inForce(state: State, key: string): Standing | undefined {
  const last = state.delivered.get(key)?.standing;
  return state.places
    .of(key)
    .find(
      ({ origin, digest }) =>
        isReadable(state, origin.file) || (last?.origin.file === origin.file && last.digest === digest),
    );
}

function dropFile(state: State, file: string): void {
  for (const standing of state.files.get(file)?.standings ?? []) state.places.remove(standing);
  state.files.delete(file);
  state.flawed.delete(file);
}

function addFile(state: State, file: string, manifest: Manifest, fresh: Map<Standing, KubernetesObject>): IndexedFile {
  const { objects, problems, unknownKinds } = manifest;
  const standings = objects.map(({ ref, origin, object }): Standing => {
    const digest = createHmac('sha256', state.digestKey).update(JSON.stringify(object)).digest('base64url');
    const standing = { ref, origin, digest };
    state.places.add(standing);
    fresh.set(standing, object);
    return standing;
  });
  const indexed = { standings, problems, unknownKinds, isReadable: true };
  state.files.set(file, indexed);
  if (problems.length + unknownKinds.length > 0) state.flawed.set(file, indexed);
  return indexed;
}

/** Takes in what one file holds now; gives the standings that this concerns, former and new. */
function replaceFile(
  state: State,
  file: string,
  read: ReadFile,
  fresh: Map<Standing, KubernetesObject>,
): readonly Standing[] {
  const before = state.files.get(file);
  const former = before?.standings ?? [];
  if (read === 'unreadable') {
    if (before !== undefined) before.isReadable = false;
    return former;
  }
  dropFile(state, file);
  return read === 'gone' ? former : [...former, ...addFile(state, file, read, fresh).standings];
}

interface Settled {
  readonly change?: Change;
  readonly move?: Move;
  readonly toRead?: string;
}

/** What has to be told of one object. */
function settle(state: State, ref: Ref, fresh: Fresh): Settled {
  const key = refKey(ref);
  const standing = inForce(state, key);
  const last = state.delivered.get(key);
  if (standing === undefined) return state.delivered.delete(key) ? { change: { type: 'delete', ref } } : {};
  const note = noteOn(state.places.of(key), standing);
  const { origin } = standing;
  if (last?.standing.digest === standing.digest && last.note === note) {
    state.delivered.set(key, { standing, note });
    return compareOrigins(last.standing.origin, origin) === 0 ? {} : { move: { ref, origin } };
  }
  const object = fresh.get(standing);
  // Of an unreadable file only what was delivered before is in force: there is nothing newer to be had.
  if (object === undefined) return isReadable(state, origin.file) ? { toRead: origin.file } : {};
  state.delivered.set(key, { standing, note });
  return { change: { type: 'put', ref, object, origin, problems: problemsOf(note) } };
}

function update(state: State, read: ReadonlyMap<string, ReadFile>): IndexChange {
  const fresh = new Map<Standing, KubernetesObject>();
  const standings = [...read].flatMap(([file, held]) => replaceFile(state, file, held, fresh));
  const concerned = new Map(standings.map(({ ref }) => [refKey(ref), ref]));
  const settled = [...concerned.values()].map((ref) => settle(state, ref, fresh));
  return {
    changes: settled.flatMap(({ change }) => change ?? []),
    moves: settled.flatMap(({ move }) => move ?? []),
    toRead: [...new Set(settled.flatMap(({ toRead }) => toRead ?? []))],
  };
}

function duplicateProblems(state: State): FileProblem[] {
  return [...state.places.several()].flatMap((key) => {
    const all = state.places.of(key);
    const first = inForce(state, key);
    if (first === undefined) return [];
    const note = noteOn(all, first);
    return all.map(({ ref, origin }) => ({ ...origin, message: `${formatRef(ref)} ${note}`, isError: true }));
  });
}

/** Each unknown kind is named once, where it first stands. */
function unknownKindProblems(files: readonly IndexedFile[]): FileProblem[] {
  const all = files.flatMap(({ unknownKinds }) => unknownKinds).sort((a, b) => compareOrigins(b.origin, a.origin));
  const first = new Map(all.map(({ kind, origin }) => [kind, origin]));
  const message = 'is not a kind that Latchkey reads; objects of it are ignored';
  return [...first].map(([kind, origin]) => ({ ...origin, message: `${kind} ${message}`, isError: false }));
}

/** See the head of this file. */
export function createFileIndex() {
  const state: State = {
    digestKey: randomBytes(32),
    files: new Map(),
    flawed: new Map(),
    places: createPlaces(),
    delivered: new Map(),
  };
  return {
    /** Takes in what files now hold. */
    update: (read: ReadonlyMap<string, ReadFile>): IndexChange => update(state, read),

    /** The files that an object stands in, the one that is in force first. */
    filesOf(ref: Ref): readonly string[] {
      const first = inForce(state, refKey(ref));
      const all = state.places.of(refKey(ref));
      return [...new Set([...(first === undefined ? [] : [first]), ...all].map(({ origin }) => origin.file))];
    },

    /** Every file that could be read at some time and has not gone since. */
    files: (): readonly string[] => [...state.files.keys()],

    /** Whether objects of a file are or could be in force. */
    holds: (file: string): boolean => (state.files.get(file)?.standings.length ?? 0) > 0,

    /** What is wrong in files that can be read, duplicates and unknown kinds included; in no order. */
    problems(): FileProblem[] {
      const readable = [...state.flawed.values()].filter((file) => file.isReadable);
      return [
        ...readable.flatMap(({ problems }) => problems),
        ...duplicateProblems(state),
        ...unknownKindProblems(readable),
      ];
    },
  };
}

export type FileIndex = ReturnType<typeof createFileIndex>;
