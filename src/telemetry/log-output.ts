import { openOutput, writeSome } from './standard-output.ts';

/** Of what nobody takes so much is held; what comes then is dropped. */
const heldBytes = 1024 * 1024;
/** When whoever reads a pipe that is full may have taken something. */
const retryMs = 50;
/** As a thread ends it tries so often: half a second. */
const exitTries = 50;
const exitPauseMs = 10;

/**
 * Where the lines of a log go: at once, so that what a process says last is not lost, and without waiting for who does
 * not read. A pipe that nobody empties stopped every thread at its next line, and with it all that is served.
 */
class LogOutput {
  readonly #fd = openOutput();
  /** What is not written yet, the oldest first. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #dropped = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor() {
    process.once('exit', () => this.#end());
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#heldBytes + bytes.byteLength > heldBytes) {
      this.#dropped += 1;
      return;
    }
    this.#held.push(bytes);
    this.#heldBytes += bytes.byteLength;
    if (this.#retry === undefined) this.#writeHeld();
  }

  #writeHeld(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
      const written = writeSome(this.#fd, first);
      if (written === undefined) this.#dropped += 1; // nobody reads: it may be that somebody comes again
      const taken = written ?? first.byteLength;
      this.#heldBytes -= taken;
      if (taken < first.byteLength) {
        this.#held[0] = first.subarray(taken);
        this.#retry = setTimeout(() => this.#writeHeld(), retryMs).unref();
        return;
      }
      this.#held.shift();
    }
    this.#tellDropped();
  }

  /** Waits a moment for who is slow. */
  #end(): void {
    const never = new Int32Array(new SharedArrayBuffer(4));
    for (let i = 0; i < exitTries && this.#held.length > 0; i += 1) {
      if (i > 0) Atomics.wait(never, 0, 0, exitPauseMs);
      this.#writeHeld();
    }
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    const note = {
      level: 40,
      time: Date.now(),
      dropped: this.#dropped,
      msg: 'nobody read the log: lines were dropped',
    };
    const bytes = Buffer.from(`${JSON.stringify(note)}\n`);
    // It is short: a pipe takes it whole or not at all.
    if (writeSome(this.#fd, bytes) === bytes.byteLength) this.#dropped = 0;
  }
}

let output: LogOutput | undefined;

/** Where all logs of a thread go. */
export const logOutput = {
  write: (line: string): void => (output ??= new LogOutput()).write(line),
};
