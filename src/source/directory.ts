/**
 * A directory of the YAML (or JSON) that one would `kubectl apply`, watched.
 *
 *   events ──▶ due files (settle) ──▶ read files ──▶ index (who stands where) ──▶ changes
 *   write  ──▶ plan ──▶ write files ──────┘
 *
 * Everything that reads or writes files happens in turn: an event's reading, a write with the reading back
 * of what it wrote, a comparison of everything. None overlaps another, so nothing is ever planned on what
 * another is about to change. Between two turns only names, places and keyed digests are kept: no text, no
 * object. What cannot be reached (the directory, a file) is not gone: what it held last stays in force.
 */
import { access, constants, readFile, stat } from 'node:fs/promises';
import { normalize } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import { DirectoryWatch, identityOf } from './directory-watch.ts';
import { DueFiles, dueNow, type DueFile } from './due-files.ts';
import { createFileIndex, type IndexChange, type ReadFile } from './file-index.ts';
import { walk } from './manifest-walk.ts';
import { compareOrigins } from './places.ts';
import { findInText, planWrite } from './plan-write.ts';
import type { ReadOptions } from './read-file.ts';
import { readFiles, type FileMemory, type FilesRead } from './read-files.ts';
import type { Edit, FileProblem, Source, SourceListener } from './source.ts';
import { writeFiles } from './write-files.ts';

/** How often the directory is looked for when it is gone, or has been replaced, which its watcher cannot see. */
const rootCheckMs = 250;
/** How often everything is compared, for what the kernel did not tell: a full queue, a network file system. */
const compareAllMs = 60_000;

/** @throws Error with a message for people if the directory cannot be served */
async function assertDirectory(dir: string): Promise<void> {
  const found = await stat(dir).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`directory ${dir} ${error.code === 'ENOENT' ? 'does not exist' : `cannot be read: ${error.code}`}`);
  });
  if (!found.isDirectory()) throw new Error(`${dir} is not a directory`);
  await access(dir, constants.R_OK | constants.X_OK).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`directory ${dir} cannot be read: ${error.code}`);
  });
}

function compareProblems(a: FileProblem, b: FileProblem): number {
  return compareOrigins(a, b) || (a.message < b.message ? -1 : 1);
}

class DirectorySource implements Source {
  readonly #dir: string;
  readonly #index = createFileIndex();
  readonly #memory: FileMemory = { fingerprints: new Map(), faults: new Map() };
  readonly #due = new DueFiles((files) => this.#inBackground(async () => this.#takeIn(files)));
  readonly #watch: DirectoryWatch;
  /** Directories below that could not be read when everything was last compared. */
  #unreadable: ReadonlyMap<string, string> = new Map();
  /** Which directory is watched; undefined when there is none. */
  #identity: string | undefined;
  #listener: SourceListener | undefined;
  #isStopped = false;
  #clock: NodeJS.Timeout | undefined;
  #comparedAtMs = 0;
  /** What went wrong in the background: with watching, until it is begun anew; with the last turn. */
  readonly #failures = new Map<'watching' | 'reading', string>();
  #told = '[]';
  #queue: Promise<unknown> = Promise.resolve();

  constructor(dir: string) {
    this.#dir = normalize(dir).replace(/(?<=.)\/$/, '');
    this.#watch = new DirectoryWatch(this.#dir, {
      onFile: (file) => this.#due.add(file),
      onTree: () => this.#due.add(this.#dir),
      onError: (error) => this.#noteFailure('watching', error),
    });
  }

  async start(listener: SourceListener): Promise<void> {
    await assertDirectory(this.#dir);
    if (this.#isStopped) return;
    this.#listener = listener;
    try {
      await this.#inTurn(async () => this.#tell(await this.#readUntilQuiet(await this.#everything())));
    } catch (error) {
      await this.stop();
      throw error;
    }
    if (!this.#isStopped) this.#clock = setInterval(() => void this.#checkRoot(), rootCheckMs);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#clock);
    // Twice each: a turn under way may wait for the watcher, begin to watch anew, and put files off.
    await this.#watch.stop();
    this.#due.clear();
    await this.#queue;
    await this.#watch.stop();
    this.#due.clear();
    this.#listener = undefined;
  }

  async write(edits: readonly Edit[]): Promise<void> {
    await this.#inTurn(async () => {
      await this.#takeIn(this.#due.takeAll());
      const concerned = edits.flatMap(({ ref }) => this.#index.filesOf(ref));
      await this.#tell(await this.#readUntilQuiet([...new Set(concerned)].map(dueNow)));
      if ((await identityOf(this.#dir)) === undefined) throw new Error(`directory ${this.#dir} has disappeared`);
      const planned = await planWrite(edits, { dir: this.#dir, filesOf: (ref) => this.#index.filesOf(ref) });
      try {
        await writeFiles(planned);
      } finally {
        const files = planned.map(({ file }) => dueNow(file));
        await this.#tell((await this.#read(files, 'ours')).held);
      }
    });
  }

  async read(ref: Ref): Promise<KubernetesObject | undefined> {
    return this.#inTurn(async () => {
      const [file] = this.#index.filesOf(ref);
      if (file === undefined) return undefined;
      return findInText(file, await readFile(file, 'utf8'), ref)?.object;
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    // Not `catch` alone: it would pass the result on, and keep what was read (a key) until the next turn.
    this.#queue = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  #inBackground(work: () => Promise<void>): void {
    this.#inTurn(work).then(
      () => this.#noteFailure('reading', undefined),
      (error: Error) => this.#noteFailure('reading', error),
    );
  }

  #noteFailure(what: 'watching' | 'reading', error: Error | undefined): void {
    if (error === undefined) this.#failures.delete(what);
    else this.#failures.set(what, `${what} failed: ${error.message}`);
    this.#tellProblems();
  }

  async #checkRoot(): Promise<void> {
    const identity = await identityOf(this.#dir);
    if (this.#isStopped) return;
    const isDue = performance.now() - this.#comparedAtMs >= compareAllMs;
    if (identity !== this.#identity || (isDue && identity !== undefined)) this.#due.add(this.#dir);
  }

  /** Reads what may have changed; the directory itself stands for everything in it. */
  async #takeIn(due: readonly DueFile[]): Promise<void> {
    const files = new Map(due.map((file) => [file.file, file]));
    const inTree = files.delete(this.#dir) ? await this.#everything() : [];
    for (const file of inTree) if (!files.has(file.file)) files.set(file.file, file);
    const { held, busy } = await this.#read([...files.values()], 'quiet');
    await this.#tell(held);
    for (const file of busy) this.#due.retry(file.due, file.retryInMs);
  }

  /** Every file that there is, or was when it was last looked for. */
  async #everything(): Promise<DueFile[]> {
    this.#comparedAtMs = performance.now();
    const identity = await identityOf(this.#dir);
    // Watching before reading: what changes in between is read twice rather than never.
    if (identity !== undefined && identity !== this.#identity) {
      this.#failures.delete('watching');
      await this.#watch.start();
    }
    this.#identity = identity;
    const { files, unreadable } = await walk(this.#dir);
    this.#unreadable = unreadable;
    const isReachable = (file: string): boolean =>
      !unreadable.has(this.#dir) && [...unreadable.keys()].every((dir) => !file.startsWith(`${dir}/`));
    const known = [...this.#index.files(), ...this.#memory.faults.keys()].filter(isReachable);
    return [...new Set([...files, ...known])].map(dueNow);
  }

  async #read(files: readonly DueFile[], when: ReadOptions['when']): Promise<FilesRead> {
    const nothing = { held: new Map<string, ReadFile>(), busy: [] };
    if (this.#identity === undefined) return nothing;
    const read = await readFiles(files, this.#memory, when);
    // That files are gone means nothing when the directory is.
    const isAnyGone = [...read.held.values()].includes('gone');
    if (!isAnyGone || (await identityOf(this.#dir)) === this.#identity) return read;
    this.#due.add(this.#dir);
    return nothing;
  }

  /** Waits for those who are writing to the files, within reason. */
  async #readUntilQuiet(files: readonly DueFile[]): Promise<ReadonlyMap<string, ReadFile>> {
    const { held, busy } = await this.#read(files, 'quiet');
    if (busy.length === 0) return held;
    await sleep(Math.min(...busy.map(({ retryInMs }) => retryInMs)));
    return new Map([...held, ...(await this.#readUntilQuiet(busy.map(({ due }) => due)))]);
  }

  /** Tells what files turned out to hold, in the order of their paths. */
  async #tell(held: ReadonlyMap<string, ReadFile>): Promise<void> {
    const sorted = new Map([...held].sort(([a], [b]) => (a < b ? -1 : 1)));
    const told: IndexChange[] = [this.#index.update(sorted)];
    // An object that now stands first in a file which nobody touched: its file has to be read for it.
    for (let toRead = told[0]?.toRead ?? []; toRead.length > 0; toRead = told.at(-1)?.toRead ?? []) {
      for (const file of toRead) this.#memory.fingerprints.delete(file);
      told.push(this.#index.update((await readFiles(toRead.map(dueNow), this.#memory, 'now')).held));
    }
    const moves = told.flatMap((part) => part.moves);
    const changes = told.flatMap((part) => part.changes);
    if (moves.length > 0) this.#listener?.moved?.(moves);
    if (changes.length > 0) this.#listener?.changes(changes);
    this.#tellProblems();
  }

  #problems(): FileProblem[] {
    const ofDir = (message: string, file = this.#dir): FileProblem => ({ file, line: 1, message, isError: true });
    const faults = [...this.#memory.faults.values()].map((fault) =>
      this.#index.holds(fault.file)
        ? { ...fault, message: `${fault.message}; what it held before stays in force` }
        : fault,
    );
    const isGone = this.#identity === undefined;
    return [
      ...(isGone ? [ofDir('the directory has disappeared; what it held stays in force')] : []),
      ...[...this.#failures.values()].map((message) => ofDir(message)),
      ...[...this.#unreadable].map(([dir, code]) => ofDir(`the directory cannot be read: ${code}`, dir)),
      ...faults,
      ...this.#index.problems(),
    ];
  }

  #tellProblems(): void {
    const problems = this.#problems().sort(compareProblems);
    const text = JSON.stringify(problems);
    if (text === this.#told) return;
    this.#told = text;
    this.#listener?.fileProblems(problems);
  }
}

/**
 * A source of the objects in a directory and below it: every `.yaml`, `.yml` and `.json` that is neither
 * hidden nor an editor's backup. `start` throws an Error with a message for people when there is no such
 * directory; `write` one that names file and line when a file that it must change cannot be parsed.
 */
export function directorySource(dir: string): Source {
  return new DirectorySource(dir);
}
