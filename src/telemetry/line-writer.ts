import { once } from 'node:events';
import { destination } from 'pino';

/** Writes lines to standard output, many at a time, and never makes anybody wait. */
export interface LineWriter {
  /** @param line with its newline */
  write(line: string): void;
  /** Lines that nobody took, since it was last asked. */
  takeDropped(): number;
  /** Writes what is left. Waits no longer than a second for who does not read. */
  close(): Promise<void>;
}

/** POSIX writes so much to a pipe in one piece (PIPE_BUF on Linux): lines of other threads do not get in between. */
const pieceBytes = 4_096;
/** A piece is written once it is so full … */
const fullBytes = 3_072;
/** … or this old. */
const flushEveryMs = 500;
/** Of what whoever reads has not taken so much is held; what comes then is dropped. */
const heldBytes = 8 * 1024 * 1024;
const closeTimeoutMs = 1_000;

/** See `LineWriter`. */
export function createLineWriter(): LineWriter {
  const stream = destination({
    fd: 1,
    sync: false,
    minLength: fullBytes,
    maxWrite: pieceBytes,
    maxLength: heldBytes,
    periodicFlush: flushEveryMs,
  });
  let dropped = 0;
  stream.on('drop', () => (dropped += 1));
  return {
    write: (line) => void stream.write(line),
    takeDropped() {
      const taken = dropped;
      dropped = 0;
      return taken;
    },
    async close() {
      const closed = once(stream, 'close', { signal: AbortSignal.timeout(closeTimeoutMs) });
      stream.end();
      await closed.catch(() => undefined); // nobody reads any more
    },
  };
}
