import { describe, expect, test } from 'vitest';
import { copyChunk } from '#gateway/chunk-memory.ts';

const chunkOf = (bytes: number, value: number): Buffer => Buffer.alloc(bytes, value);

describe('a copy of a chunk', () => {
  test.for([1, 16 * 1024, 16 * 1024 + 1, 32 * 1024, 64 * 1024 + 1, 128 * 1024, 1024 * 1024])(
    'has all %d bytes, and stays when the chunk is overwritten',
    (bytes) => {
      const chunk = chunkOf(bytes, 1);
      const copy = copyChunk(chunk);
      chunk.fill(2);
      expect(copy.bytes.equals(chunkOf(bytes, 1))).toBe(true);
    },
  );

  test('shares no memory with another until it is released, and is used again then', () => {
    const first = copyChunk(chunkOf(60_000, 1));
    const second = copyChunk(chunkOf(60_000, 2));
    expect(second.bytes.buffer).not.toBe(first.bytes.buffer);
    first.release();
    const third = copyChunk(chunkOf(50_000, 3));
    expect(third.bytes.buffer).toBe(first.bytes.buffer);
    expect([second.bytes, third.bytes]).toEqual([chunkOf(60_000, 2), chunkOf(50_000, 3)]);
  });

  test('only so much memory is kept', () => {
    const copies = Array.from({ length: 40 }, () => copyChunk(chunkOf(100_000, 1)));
    for (const { release } of copies) release();
    const again = Array.from({ length: 40 }, () => copyChunk(chunkOf(100_000, 2)));
    const known = new Set(copies.map(({ bytes }) => bytes.buffer));
    expect(again.filter(({ bytes }) => known.has(bytes.buffer))).toHaveLength(16);
  });
});
