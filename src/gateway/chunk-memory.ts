/**
 * Memory for parts of answers on their way to clients. What comes from an upstream is read into one place, so that
 * each part must be copied; new memory for every large part costs a fifth of such an answer, most of it in collecting
 * it again.
 */

/** Smaller parts cost little to allocate, and would waste most of a piece. */
const leastBytes = 16 * 1024;
/** Pieces are 32, 64 and 128 KiB. */
const smallestPower = 15;
const powers = 3;
/** Of each size so many are kept while nobody needs them: 3.5 MiB in all. */
const mostKept = 16;

const kept: Buffer[][] = Array.from({ length: powers }, () => []);

export interface ChunkCopy {
  readonly bytes: Buffer;
  /** To be called once the bytes have been written: from then on they are somebody else's. */
  readonly release: () => void;
}

const keepNothing = (): void => undefined;

/** A copy of a part. Who never releases it leaves it to the garbage collector. */
export function copyChunk(chunk: Buffer): ChunkCopy {
  const length = chunk.byteLength;
  const power = Math.max(32 - Math.clz32(length - 1), smallestPower);
  const free = kept[power - smallestPower];
  if (length <= leastBytes || free === undefined) return { bytes: Buffer.from(chunk), release: keepNothing };
  const piece = free.pop() ?? Buffer.allocUnsafeSlow(1 << power);
  chunk.copy(piece);
  return {
    bytes: piece.subarray(0, length),
    release: () => {
      if (free.length < mostKept) free.push(piece);
    },
  };
}
