/**
 * A directory of the YAML (or JSON) that one would `kubectl apply`, watched.
 *
 *   events ──▶ settle ──▶ read file ──▶ index (who stands where) ──▶ changes
 *   write  ──▶ plan ──▶ files ─────────────┘
 *
 * Everything that reads or writes files happens one after the other. Between two reads only names, places
 * and digests are kept: no text and no object.
 */
import { access, readFile, rm, stat } from 'node:fs/promises';
import { watch, type FSWatcher } from 'chokidar';
import { createFileIndex } from './file-index.ts';
import type { Manifest } from './manifest-file.ts';
import { isDirectoryAt, isIgnored, isManifest, walk } from './manifest-walk.ts';
import { findInText, writeWhole } from './object-file.ts';
import { planWrite } from './plan-write.ts';
import { readFound } from './read-file.ts';
import type { FileProblem, Source, SourceListener } from './source.ts';

/** A file must have been quiet this long before it is read: writers often write in several steps. */
const settleMs = 15;
/** An empty file is most often one that its writer has just truncated. */
const emptySettleMs = 200;

/** @throws Error with a message for people if the directory cannot be served */
async function assertDirectory(dir: string): Promise<void> {
  const found = await stat(dir).catch(() => undefined);
  if (found === undefined) throw new Error(`directory ${dir} does not exist`);
  if (!found.isDirectory()) throw new Error(`${dir} is not a directory`);
  await access(dir).catch(() => {
    throw new Error(`directory ${dir} cannot be read`);
  });
}

/** How often a directory that disappeared is looked for. */
const returnCheckMs = 250;

/**
 * A directory of the YAML (or JSON) that one would `kubectl apply`, watched. Between two reads it keeps
 * names, places and digests only: no text and no object.
 */
export function directorySource(dir: string): Source {
  const index = createFileIndex();
  /** Files that cannot be read now, by path; what they held last stays in force. */
  const unreadable = new Map<string, FileProblem>();
  const due = new Map<string, NodeJS.Timeout>();
  const believedEmpty = new Set<string>();
  let listener: SourceListener | undefined;
  let watcher: FSWatcher | undefined;
  let missing: NodeJS.Timeout | undefined;
  let told = '[]';
  let queue: Promise<unknown> = Promise.resolve();

  /** Everything that reads or writes files happens one after the other. */
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  };

  const tellProblems = (): void => {
    const gone =
      missing === undefined
        ? []
        : [
            {
              file: dir,
              line: 1,
              isError: true,
              message: 'the directory has disappeared; what it held last stays in force',
            },
          ];
    const problems = [...gone, ...unreadable.values(), ...index.problems()].sort((a, b) =>
      a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1,
    );
    const text = JSON.stringify(problems);
    if (text === told) return;
    told = text;
    listener?.fileProblems(problems);
  };

  const readAll = async (files: readonly string[]): Promise<Map<string, Manifest | undefined>> => {
    const manifests = new Map<string, Manifest | undefined>();
    for (const file of files) {
      const found = await readFound(file, believedEmpty.delete(file));
      if (found === 'empty') scheduleEmpty(file);
      else if ('problem' in found) unreadable.set(file, found.problem);
      else {
        unreadable.delete(file);
        manifests.set(file, found.manifest);
      }
    }
    return manifests;
  };

  /** Reads files and delivers what changed, as one batch. */
  const refresh = async (files: readonly string[]): Promise<void> => {
    const first = index.update(await readAll(files));
    // An object that now stands first in a file that nobody touched is read from there.
    const second = first.toRead.length === 0 ? undefined : index.update(await readAll(first.toRead));
    const changes = [...first.changes, ...(second?.changes ?? [])];
    if (changes.length > 0) listener?.changes(changes);
    tellProblems();
  };

  const rescan = async (): Promise<void> => {
    const files = await walk(dir);
    await refresh([...new Set([...files, ...index.files(), ...unreadable.keys()])]);
  };

  const report = (error: unknown): void => {
    unreadable.set(dir, { file: dir, line: 1, message: (error as Error).message, isError: true });
    tellProblems();
  };

  const schedule = (file: string, delayMs: number): void => {
    clearTimeout(due.get(file));
    due.set(
      file,
      setTimeout(() => {
        due.delete(file);
        void inTurn(async () => ((await isDirectoryAt(dir)) ? refresh([file]) : noteMissing())).catch(report);
      }, delayMs),
    );
  };

  const scheduleEmpty = (file: string): void => {
    believedEmpty.add(file);
    schedule(file, emptySettleMs);
  };

  /** Unreachable is not absent: nothing is deleted until the directory is back and says so. */
  const noteMissing = async (): Promise<void> => {
    if (missing !== undefined) return;
    missing = setInterval(() => void inTurn(lookForReturn).catch(report), returnCheckMs);
    tellProblems();
  };

  const lookForReturn = async (): Promise<void> => {
    if (missing === undefined || !(await isDirectoryAt(dir))) return;
    clearInterval(missing);
    missing = undefined;
    await watcher?.close();
    await startWatching();
    await rescan();
  };

  const onEvent = (path: string): void => {
    // A mounted ConfigMap changes by swapping the hidden link that all its files go through.
    if (/(?:^|\/)\.\./.test(path.slice(dir.length)) || path === dir) scheduleRescan();
    else if (isManifest(path)) schedule(path, settleMs);
  };

  const scheduleRescan = (): void => {
    clearTimeout(due.get(dir));
    due.set(
      dir,
      setTimeout(() => {
        due.delete(dir);
        void inTurn(async () => ((await isDirectoryAt(dir)) ? rescan() : noteMissing())).catch(report);
      }, settleMs),
    );
  };

  const startWatching = async (): Promise<void> => {
    watcher = watch(dir, {
      ignoreInitial: true,
      ignored: (path) => path !== dir && isIgnored(path) && !path.includes('/..'),
    });
    watcher.on('all', (_, path) => onEvent(path));
    watcher.on('error', report);
    await new Promise<void>((resolve) => watcher?.once('ready', resolve));
  };

  return {
    async start(listening) {
      await assertDirectory(dir);
      listener = listening;
      // Watching first: what changes between the two is read twice rather than never.
      await startWatching();
      await inTurn(rescan);
    },

    async stop() {
      await watcher?.close();
      clearInterval(missing);
      for (const timer of due.values()) clearTimeout(timer);
      due.clear();
      await queue;
      listener = undefined;
    },

    async write(edits) {
      await inTurn(async () => {
        const texts = await planWrite(dir, edits, (ref) => index.find(ref)?.file);
        for (const [file, { text, isSecret }] of texts) {
          if (text === undefined) await rm(file, { force: true });
          else await writeWhole(file, text, { isSecret });
        }
        await refresh([...texts.keys()]);
      });
    },

    async read(ref) {
      return inTurn(async () => {
        const place = index.find(ref);
        return place === undefined
          ? undefined
          : findInText(place.file, await readFile(place.file, 'utf8'), ref)?.object;
      });
    },
  };
}
