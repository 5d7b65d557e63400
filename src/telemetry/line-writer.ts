import { closeOutput, openOutput, writeSome } from './standard-output.ts';

/** Writes lines to standard output, many at a time, and makes nobody wait where that is a pipe. */
export interface LineWriter {
  /** @param line ASCII, with its newline */
  write(line: string): void;
  /** Lines that nobody took, since it was last asked. */
  takeDropped(): number;
  /** Writes what is left; waits no longer than a second for who does not read. */
  close(): Promise<void>;
}

/** POSIX writes so much to a pipe in one piece (PIPE_BUF on Linux): lines of other threads do not get in between. */
const pieceBytes = 4_096;
/** What is not a whole piece is written when it is this old. */
const flushEveryMs = 500;
/** When whoever reads a pipe that is full may have taken something. */
const retryMs = 2;
const closeTries = 500;
/** Of what is not taken so much is held; what comes then is dropped. */
const heldBytes = 8 * 1024 * 1024;

class OutputLines implements LineWriter {
  readonly #fd = openOutput();
  /** Whole pieces that are not written yet, the oldest first. */
  #pieces: string[] = [];
  #piece = '';
  #heldBytes = 0;
  #dropped = 0;
  #isDeaf = false;
  #retry: NodeJS.Timeout | undefined;
  readonly #flushing = setInterval(() => this.#endPiece(), flushEveryMs).unref();

  write(line: string): void {
    if (this.#isDeaf || this.#heldBytes > heldBytes) {
      this.#dropped += 1;
      return;
    }
    if (this.#piece.length + line.length > pieceBytes) this.#endPiece();
    this.#piece += line;
    this.#heldBytes += line.length;
  }

  takeDropped(): number {
    const taken = this.#dropped;
    this.#dropped = 0;
    return taken;
  }

  async close(): Promise<void> {
    clearInterval(this.#flushing);
    for (let i = 0; i < closeTries && this.#heldBytes > 0 && !this.#isDeaf; i += 1) {
      if (i > 0) await new Promise((resolve) => setTimeout(resolve, retryMs));
      this.#endPiece();
    }
    clearTimeout(this.#retry);
    closeOutput(this.#fd);
  }

  #endPiece(): void {
    if (this.#piece !== '') this.#pieces.push(this.#piece);
    this.#piece = '';
    if (this.#retry === undefined) this.#writePieces();
  }

  #writePieces(): void {
    let written = 0;
    for (const piece of this.#pieces) {
      const bytes = writeSome(this.#fd, piece);
      if (bytes === undefined) return this.#giveUp();
      this.#heldBytes -= bytes;
      if (bytes < piece.length) {
        this.#pieces = [piece.slice(bytes), ...this.#pieces.slice(written + 1)];
        return this.#later();
      }
      written += 1;
    }
    this.#pieces = [];
  }

  #later(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#writePieces();
    }, retryMs).unref();
  }

  /** Nobody reads, and nobody ever will. */
  #giveUp(): void {
    this.#isDeaf = true;
    this.#pieces = [];
    this.#piece = '';
    this.#heldBytes = 0;
  }
}

/** See `LineWriter`. */
export const createLineWriter = (): LineWriter => new OutputLines();
