import { randomBytes } from 'node:crypto';

/** Where a way of a WebSocket may be left: after a frame, or only where no message is cut. */
export type Boundary = 'frame' | 'message';

const closeOpcode = 0x8;
const finalBit = 0x80;
const maskBit = 0x80;
const maskBytes = 4;

/**
 * Follows one way of a WebSocket by the lengths that its frames state (RFC 6455 section 5.2), so that a frame of our own
 * can be put between two of them. Nothing is kept or changed, and what is no WebSocket only never comes to a boundary.
 * A class, as each tunnel has two: the payload of a chunk costs one subtraction.
 */
export class FrameTrack {
  /** Bytes of the frame still to come, once its head has. */
  #left = 0;
  /** Bytes of the head that have come; 0 between frames. */
  #headBytes = 0;
  /** Bytes of the extended length still to come. */
  #lengthBytes = 0;
  #length = 0;
  #first = 0;
  #isMasked = false;
  #isInMessage = false;
  /** Whether a Close has begun: it is the last frame of its side (section 5.5.1). */
  hasClosed = false;

  isAt(boundary: Boundary): boolean {
    return this.#headBytes === 0 && this.#left === 0 && (boundary === 'frame' || !this.#isInMessage);
  }

  /** Follows a chunk, and no further than such a boundary if one is named. Gives how far it went. */
  follow(chunk: Buffer, stop?: Boundary): number {
    let at = 0;
    while (at < chunk.byteLength) {
      if (this.#left > 0) {
        const bytes = Math.min(this.#left, chunk.byteLength - at);
        this.#left -= bytes;
        at += bytes;
      } else {
        this.#takeHead(chunk[at] ?? 0);
        at += 1;
      }
      if (stop !== undefined && this.isAt(stop)) return at;
    }
    return at;
  }

  #takeHead(byte: number): void {
    if (this.#headBytes === 0) {
      this.#first = byte;
      this.#headBytes = 1;
      return;
    }
    if (this.#headBytes === 1) this.#takeLength(byte);
    else this.#takeExtended(byte);
    if (this.#lengthBytes === 0) this.#begin();
  }

  #takeLength(byte: number): void {
    const short = byte & 0x7f;
    this.#headBytes = 2;
    this.#isMasked = (byte & maskBit) !== 0;
    this.#lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    this.#length = this.#lengthBytes === 0 ? short : 0;
  }

  #takeExtended(byte: number): void {
    this.#length = this.#length * 256 + byte;
    this.#lengthBytes -= 1;
  }

  /** The head is whole. A control frame may stand inside of a message, and does not end it (section 5.4). */
  #begin(): void {
    const opcode = this.#first & 0x0f;
    this.#headBytes = 0;
    this.#left = this.#length + (this.#isMasked ? maskBytes : 0);
    if (opcode === closeOpcode) this.hasClosed = true;
    if (opcode < closeOpcode) this.#isInMessage = (this.#first & finalBit) === 0;
  }
}

/** Why a WebSocket is closed (RFC 6455 section 7.4.1). */
export interface CloseReason {
  readonly code: number;
  /** At most 123 bytes. */
  readonly text: string;
}

/** A Close as a server sends it. */
export function closeFrame({ code, text }: CloseReason): Buffer {
  const length = 2 + Buffer.byteLength(text);
  const frame = Buffer.alloc(2 + length);
  frame.writeUInt8(finalBit | closeOpcode, 0);
  frame.writeUInt8(length, 1);
  frame.writeUInt16BE(code, 2);
  frame.write(text, 4);
  return frame;
}

/** The same as a client sends it: masked, by bytes that nobody can guess (section 5.3). */
export function maskedCloseFrame(reason: CloseReason): Buffer {
  const plain = closeFrame(reason);
  const mask = randomBytes(maskBytes);
  const payload = plain.subarray(2).map((byte, i) => byte ^ (mask[i % maskBytes] ?? 0));
  return Buffer.concat([Uint8Array.of(plain[0] ?? 0, (plain[1] ?? 0) | maskBit), mask, payload]);
}
