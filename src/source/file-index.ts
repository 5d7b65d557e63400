import { createHmac, randomBytes } from 'node:crypto';
import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Manifest } from './manifest-file.ts';
import type { Change, FileProblem, Origin } from './source.ts';

/** An object of a file, by name and place only: its content is not kept. */
interface IndexedObject {
  readonly ref: Ref;
  readonly origin: Required<Origin>;
  /** Keyed, so that the text of a Secret cannot be guessed from it. */
  readonly digest: string;
}

interface IndexedFile {
  readonly objects: readonly IndexedObject[];
  readonly problems: readonly FileProblem[];
  readonly unknownKinds: ReadonlyMap<string, Origin>;
}

/** What the index says has to happen. */
export interface IndexChange {
  readonly changes: readonly Change[];
  /** Objects that are now in force from a file that was not read: it must be read again. */
  readonly toRead: readonly string[];
}

const place = ({ file, line }: Origin): string => `${file}:${line}`;

/** By path and line: the first place of an object is the one in force, whichever file was read first. */
function compareOrigins(a: Required<Origin>, b: Required<Origin>): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line;
}

/** A copy that holds on to nothing: strings of a parsed text may keep the whole text, keys and all, alive. */
const copyFree = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** Which objects stand in which files, which of several places is in force, and what was delivered. */
export function createFileIndex() {
  const digestKey = randomBytes(32);
  const files = new Map<string, IndexedFile>();
  const places = new Map<string, IndexedObject[]>();
  /** What was delivered for a ref: the digest of the object and of its problems. */
  const delivered = new Map<string, string>();

  const digestOf = (object: KubernetesObject): string =>
    createHmac('sha256', digestKey).update(JSON.stringify(object)).digest('base64url');

  const setPlaces = (key: string, list: IndexedObject[]): void => {
    if (list.length === 0) places.delete(key);
    else
      places.set(
        key,
        list.sort((a, b) => compareOrigins(a.origin, b.origin)),
      );
  };

  const dropFile = (file: string): Map<string, Ref> => {
    const refs = new Map<string, Ref>();
    for (const { ref } of files.get(file)?.objects ?? []) {
      refs.set(refKey(ref), ref);
      setPlaces(
        refKey(ref),
        (places.get(refKey(ref)) ?? []).filter((other) => other.origin.file !== file),
      );
    }
    files.delete(file);
    return refs;
  };

  const duplicateMessage = (ref: Ref, list: readonly IndexedObject[]): string =>
    `${formatRef(ref)} stands in more than one place: ${list.map(({ origin }) => place(origin)).join(' and ')}; the first is in force`;

  /** The change that a ref needs, if any, given the objects that were just read. */
  const settle = (ref: Ref, fresh: ReadonlyMap<string, KubernetesObject>, toRead: Set<string>): Change | undefined => {
    const key = refKey(ref);
    const list = places.get(key) ?? [];
    const [first] = list;
    if (first === undefined) return delivered.delete(key) ? { type: 'delete', ref } : undefined;
    const stamp = `${first.digest} ${place(first.origin)} ${list.length > 1 ? duplicateMessage(ref, list) : ''}`;
    if (delivered.get(key) === stamp) return undefined;
    const object = fresh.get(`${key} ${place(first.origin)}`);
    if (object === undefined) {
      toRead.add(first.origin.file);
      return undefined;
    }
    delivered.set(key, stamp);
    const message = duplicateMessage(ref, list);
    const problems =
      list.length > 1
        ? [{ reason: 'DuplicateObject' as const, message, effect: 'the first is in force' as const }]
        : [];
    return { type: 'put', ref, object, origin: first.origin, problems };
  };

  return {
    /** Takes in what files now hold (undefined: gone) and gives what that changes. */
    update(read: ReadonlyMap<string, Manifest | undefined>): IndexChange {
      const concerned = new Map<string, Ref>();
      const fresh = new Map<string, KubernetesObject>();
      for (const [file, manifest] of read) {
        for (const [key, ref] of dropFile(file)) concerned.set(key, ref);
        if (manifest === undefined) continue;
        const objects = manifest.objects.map(({ ref, object, origin }): IndexedObject => {
          fresh.set(`${refKey(ref)} ${place(origin)}`, object);
          return copyFree({ ref, origin, digest: digestOf(object) });
        });
        files.set(file, {
          objects,
          problems: copyFree(manifest.problems),
          unknownKinds: new Map(copyFree([...manifest.unknownKinds])),
        });
        for (const object of objects) {
          concerned.set(refKey(object.ref), object.ref);
          setPlaces(refKey(object.ref), [...(places.get(refKey(object.ref)) ?? []), object]);
        }
      }
      const toRead = new Set<string>();
      const changes = [...concerned.values()].flatMap((ref) => settle(ref, fresh, toRead) ?? []);
      return { changes: copyFree(changes), toRead: [...toRead] };
    },

    /** Where an object that is in force stands. */
    find: (ref: Ref): Required<Origin> | undefined => places.get(refKey(ref))?.[0]?.origin,

    /** Every file that was read. */
    files: (): string[] => [...files.keys()],

    /** All problems of files, objects in several places and unknown kinds included. */
    problems(): FileProblem[] {
      const duplicates = [...places.values()]
        .filter((list) => list.length > 1)
        .flatMap((list) =>
          list.map(({ ref, origin }) => ({ ...origin, message: duplicateMessage(ref, list), isError: true })),
        );
      const kinds = new Map([...files.values()].flatMap(({ unknownKinds }) => [...unknownKinds]));
      const unknown = [...kinds].map(([kind, origin]) => ({
        ...origin,
        message: `${kind}: Latchkey does not read this kind; objects of it are ignored`,
        isError: false,
      }));
      return [...[...files.values()].flatMap(({ problems }) => problems), ...duplicates, ...unknown];
    },
  };
}
