import { stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import { isIgnored, isManifest } from './manifest-walk.ts';

/** What is told about a directory. */
export interface WatchListener {
  /** A file that may hold objects has changed, come or gone. */
  onFile(file: string): void;
  /** More than one can tell by name: everything is to be compared. */
  onTree(): void;
  onError(error: Error): void;
}

/**
 * What tells one directory from another that took its name; undefined when there is none. A number of an
 * inode may be given again at once, hence the birth time.
 */
export async function identityOf(dir: string): Promise<string | undefined> {
  return stat(dir, { bigint: true }).then(
    (found) => (found.isDirectory() ? [found.dev, found.ino, found.birthtimeNs].join(' ') : undefined),
    () => undefined,
  );
}

/** A mounted ConfigMap: its files are links through the hidden link `..data`, which is swapped. */
const throughDots = /(?:^|\/)\.\./;

/** Errors of one path, which reading that path tells better; others are of watching itself: ENOSPC, EMFILE. */
const ofOnePath: ReadonlySet<string> = new Set(['EACCES', 'ELOOP', 'EPERM']);

/** Watches everything below a directory that is not hidden. */
export class DirectoryWatch {
  readonly #dir: string;
  readonly #listener: WatchListener;
  #watcher: FSWatcher | undefined;
  /** Ends the waiting for the watcher to be ready: one that is closed before never is. */
  #endWaiting: (() => void) | undefined;

  constructor(dir: string, listener: WatchListener) {
    this.#dir = dir;
    this.#listener = listener;
  }

  /** Resolves when no later change goes unnoticed. Called again, it starts over. */
  async start(): Promise<void> {
    await this.stop();
    const watcher = watch(this.#dir, {
      ignoreInitial: true,
      atomic: false, // it would hold every deletion back by 100 ms; our own settling covers what it is for
      ignored: (path) => path !== this.#dir && isIgnored(path) && !throughDots.test(relative(this.#dir, path)),
    });
    this.#watcher = watcher;
    watcher.on('all', (_, path) => this.#onPath(path));
    watcher.on('raw', (_, name, details: unknown) => this.#onRaw(name, details));
    watcher.on('error', (error) => this.#onError(error as NodeJS.ErrnoException));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endWaiting = resolve;
    watcher.once('ready', resolve);
    await promise;
  }

  /** Resolves when nothing more will be told. */
  async stop(): Promise<void> {
    await this.#watcher?.close();
    this.#watcher = undefined;
    this.#endWaiting?.();
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (!ofOnePath.has(error.code ?? '')) this.#listener.onError(error);
  }

  #onPath(path: string): void {
    if (path === this.#dir || throughDots.test(relative(this.#dir, path))) this.#listener.onTree();
    else if (isManifest(path)) this.#listener.onFile(path);
  }

  /**
   * The kernel's own event, before chokidar has looked at the file. chokidar holds a second change within
   * 50 ms back, and lists the whole directory when a name appears and is gone again, as `sed -i` has it. A
   * hint only, since chokidar does not promise these: what it misses comes by `all`.
   */
  #onRaw(name: unknown, details: unknown): void {
    const { watchedPath } = (details ?? {}) as { readonly watchedPath?: unknown };
    if (typeof watchedPath !== 'string' || typeof name !== 'string') return;
    // A link to a file elsewhere is told by its own path.
    if (isManifest(watchedPath)) this.#listener.onFile(watchedPath);
    else if (isManifest(name)) this.#onPath(join(watchedPath, name));
  }
}
