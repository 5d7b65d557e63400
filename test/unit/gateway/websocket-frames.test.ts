import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import type { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';
import { closeFrame, FrameTrack, maskedCloseFrame } from '#gateway/websocket-frames.ts';

interface Stated {
  readonly opcode: number;
  readonly fin: boolean;
  readonly length: number;
  readonly mask: boolean;
}

/** Parts of the library `ws` that its types do not name. */
const { Receiver, Sender } = createRequire(import.meta.url)('ws') as {
  readonly Receiver: new (options: { readonly isServer: boolean }) => Writable & EventEmitter;
  readonly Sender: {
    frame(data: Buffer, options: Omit<Stated, 'length'> & { readonly readOnly: true; readonly rsv1: false }): Buffer[];
  };
};

/** A frame as the library writes it. */
const frame = ({ length, ...stated }: Stated): Buffer =>
  Buffer.concat(Sender.frame(Buffer.alloc(length, 0x88), { ...stated, readOnly: true, rsv1: false }));

const frames: readonly Stated[] = [0, 1, 125, 126, 127, 65_535, 65_536, 100_000].flatMap((length) =>
  [true, false].map((mask) => ({ opcode: 2, fin: true, length, mask })),
);

test.for([1, 2, 3, 7, 1000, 1_000_000])('frames are followed in pieces of %i bytes', (size) => {
  const track = new FrameTrack();
  for (const stated of frames) {
    const bytes = frame(stated);
    for (let at = 0; at < bytes.byteLength; at += size) {
      const piece = bytes.subarray(at, at + size);
      const isWhole = at + piece.byteLength === bytes.byteLength;
      // Asserted where it fails alone: there are half a million pieces.
      if (track.follow(piece) !== piece.byteLength || track.isAt('frame') !== isWhole) {
        expect.fail(`${stated.length} bytes, of which ${at + piece.byteLength} have been followed`);
      }
    }
  }
  expect(track.hasClosed).toBe(false);
});

test('a message of several frames ends with the last, whatever stands between them', () => {
  const track = new FrameTrack();
  const states = [
    { opcode: 1, fin: false },
    { opcode: 9, fin: true },
    { opcode: 0, fin: false },
    { opcode: 0, fin: true },
  ].map((part) => {
    track.follow(frame({ ...part, length: 5, mask: true }));
    return [track.isAt('frame'), track.isAt('message')];
  });
  expect(states).toEqual([
    [true, false],
    [true, false],
    [true, false],
    [true, true],
  ]);
});

test('it stops where it is told to, and goes on from there', () => {
  const track = new FrameTrack();
  const first = frame({ opcode: 1, fin: false, length: 200, mask: true });
  const second = frame({ opcode: 0, fin: true, length: 3, mask: true });
  const third = frame({ opcode: 2, fin: true, length: 9, mask: true });
  const all = Buffer.concat([first, second, third]);
  track.follow(all.subarray(0, 4));
  expect(track.follow(all.subarray(4), 'message')).toBe(first.byteLength + second.byteLength - 4);
  expect(track.follow(third.subarray(0, 2), 'frame')).toBe(2);
  expect(track.follow(third.subarray(2), 'frame')).toBe(third.byteLength - 2);
});

test('a Close is seen as it begins', () => {
  const track = new FrameTrack();
  track.follow(frame({ opcode: 8, fin: true, length: 2, mask: true }).subarray(0, 2));
  expect([track.hasClosed, track.isAt('frame')]).toEqual([true, false]);
});

test.for([true, false])('a Close of our own reads as one (by a server: %s)', async (isServer) => {
  const receiver = new Receiver({ isServer });
  const concluded = new Promise<[number, Buffer]>((resolve) =>
    receiver.once('conclude', (code: number, reason: Buffer) => resolve([code, reason])),
  );
  const reason = { code: 1008, text: 'äccess' };
  receiver.write(isServer ? maskedCloseFrame(reason) : closeFrame(reason));
  const [code, text] = await concluded;
  expect([code, text.toString('utf8')]).toEqual([1008, 'äccess']);
});
