import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';

const standardOutput = 1;

/**
 * A pipe is opened anew, so that writing to it never blocks and that of others goes on to. What else there is, a file or
 * a terminal, does not block for long; nor may every user open a pipe of another.
 */
export function openOutput(): number {
  try {
    if (!fstatSync(standardOutput).isFIFO()) return standardOutput;
    return openSync(`/proc/self/fd/${standardOutput}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return standardOutput;
  }
}

/** Gives how many bytes were written; undefined when nobody reads any more. */
export function writeSome(fd: number, bytes: string | Buffer): number | undefined {
  try {
    return typeof bytes === 'string' ? writeSync(fd, bytes) : writeSync(fd, bytes);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 0 : undefined;
  }
}

/** Closes what `openOutput` opened; standard output itself is everybody's. */
export function closeOutput(fd: number): void {
  if (fd !== standardOutput) closeSync(fd);
}
