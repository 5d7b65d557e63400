import { settleMs } from './read-file.ts';

/** Events that keep coming put a batch off by no more than this. */
const maxBatchMs = 60;
/** A file that somebody keeps writing to is read as it is after this long. */
const patienceMs = 300;

/** A file that may have changed. */
export interface DueFile {
  readonly file: string;
  /** When that was first noticed, on the clock of `performance.now`. */
  readonly firstAtMs: number;
}

/** A file that is to be looked at now. */
export function dueNow(file: string): DueFile {
  return { file, firstAtMs: performance.now() };
}

/** Whether a file has been put off long enough. */
export function isOverdue({ firstAtMs }: DueFile): boolean {
  return performance.now() - firstAtMs >= patienceMs;
}

/**
 * Holds files that may have changed until they have been quiet for a moment, and gives those that changed
 * together together.
 */
export class DueFiles {
  readonly #onDue: (files: readonly DueFile[]) => void;
  readonly #due = new Map<string, { readonly firstAtMs: number; readonly dueAtMs: number }>();
  #timer: NodeJS.Timeout | undefined;
  #fireAtMs = Infinity;
  #batchStartedAtMs: number | undefined;

  constructor(onDue: (files: readonly DueFile[]) => void) {
    this.#onDue = onDue;
  }

  /** Something happened to a file. */
  add(file: string): void {
    const nowMs = performance.now();
    const dueAtMs = nowMs + settleMs;
    this.#due.set(file, { firstAtMs: this.#due.get(file)?.firstAtMs ?? nowMs, dueAtMs });
    this.#batchStartedAtMs ??= nowMs;
    this.#fireAt(Math.min(dueAtMs, this.#batchStartedAtMs + maxBatchMs));
  }

  /** A file was given too early; it is given again after `delayMs`. */
  retry({ file, firstAtMs }: DueFile, delayMs: number): void {
    if (this.#due.has(file)) return; // something happened to it meanwhile
    const dueAtMs = performance.now() + delayMs;
    this.#due.set(file, { firstAtMs, dueAtMs });
    if (dueAtMs < this.#fireAtMs) this.#fireAt(dueAtMs);
  }

  /** Takes all files at once, due or not. */
  takeAll(): DueFile[] {
    const taken = [...this.#due].map(([file, { firstAtMs }]) => ({ file, firstAtMs }));
    this.clear();
    return taken;
  }

  /** Forgets everything and stops the clock. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#fireAtMs = Infinity;
    this.#batchStartedAtMs = undefined;
    this.#due.clear();
  }

  #fireAt(atMs: number): void {
    clearTimeout(this.#timer);
    this.#fireAtMs = atMs;
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, atMs - performance.now()));
  }

  #fire(): void {
    // Timers may fire a moment early: what was to be due by now is.
    const nowMs = Math.max(performance.now(), this.#fireAtMs);
    this.#fireAtMs = Infinity;
    this.#batchStartedAtMs = undefined;
    const ready: DueFile[] = [];
    let nextAtMs = Infinity;
    for (const [file, { firstAtMs, dueAtMs }] of this.#due) {
      const due = { file, firstAtMs };
      if (isOverdue(due) || dueAtMs <= nowMs) ready.push(due);
      else nextAtMs = Math.min(nextAtMs, dueAtMs);
    }
    for (const { file } of ready) this.#due.delete(file);
    if (nextAtMs !== Infinity) this.#fireAt(nextAtMs);
    if (ready.length > 0) this.#onDue(ready);
  }
}
