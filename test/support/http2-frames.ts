/** Frames of HTTP/2 written and read by hand (RFC 9113 section 4), for what no library would send. */
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { until } from './until.ts';

const frameTypes = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;
export type FrameType = keyof typeof frameTypes;
const namesOfTypes = Object.keys(frameTypes) as FrameType[];

/** RFC 9113 section 7, by their numbers. */
const errorNames = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
];

export const flags = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

/** One frame. @param length what it says of its length, where that is a lie */
export function frame(
  type: FrameType | number,
  { flag = 0, stream = 0, length }: { readonly flag?: number; readonly stream?: number; readonly length?: number } = {},
  payload: Buffer | string = '',
): Buffer {
  const body = Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(length ?? body.byteLength, 0, 3);
  head.writeUInt8(typeof type === 'number' ? type : frameTypes[type], 3);
  head.writeUInt8(flag, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** A whole number of 32 bits. */
export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export const setting = (id: number, value: number): Buffer => Buffer.concat([Buffer.from([0, id]), word(value)]);

/** A number with a prefix of so many bits (RFC 7541 section 5.1). */
function prefixed(bits: number, value: number): number[] {
  const most = 2 ** bits - 1;
  if (value < most) return [value];
  const bytes = [most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([Buffer.from(prefixed(7, bytes.byteLength)), bytes]);
};

/** A list of fields, each spelled out (RFC 7541 section 6.2.2), as it is: nothing is checked. */
export const fieldBlock = (fields: readonly (readonly [string, string])[]): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));

/** The pseudo-headers of a request, of which some may be others. */
export const requestHead = (
  path = '/',
  {
    method = 'GET',
    scheme = 'http',
    authority = 'a',
  }: { readonly method?: string; readonly scheme?: string; readonly authority?: string } = {},
): [string, string][] => [
  [':method', method],
  [':scheme', scheme],
  [':authority', authority],
  [':path', path],
];

/** HEADERS of a request in one frame. */
export const headers = (
  stream: number,
  fields: readonly (readonly [string, string])[],
  flag: number = flags.END_STREAM,
): Buffer => frame('HEADERS', { flag: flag | flags.END_HEADERS, stream }, fieldBlock(fields));

export const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Indexed statuses (RFC 7541 appendix A), then the code of each digit (appendix B). */
const indexedStatuses = ['200', '204', '206', '304', '400', '404', '500'];
const digitCodes = ['00000', '00001', '00010', '011001', '011010', '011011', '011100', '011101', '011110', '011111'];

function huffmanDigits(bytes: Buffer): string {
  let bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let digits = '';
  while (digits.length < 3) {
    const digit = digitCodes.findIndex((code) => bits.startsWith(code));
    digits += String(digit);
    bits = bits.slice(digitCodes[digit]?.length);
  }
  return digits;
}

/** The status of a head: its first field. The gateway was told that this side keeps no table. */
function statusOf(block: Buffer): string {
  let at = 0;
  while (((block[at] ?? 0) & 0xe0) === 0x20) at += 1; // the size of the table
  const first = block[at] ?? 0;
  if ((first & 0x80) !== 0) return indexedStatuses[(first & 0x7f) - 8] ?? '?';
  const length = block[at + 1] ?? 0;
  const value = block.subarray(at + 2, at + 2 + (length & 0x7f));
  return (length & 0x80) === 0 ? value.toString('latin1') : huffmanDigits(value);
}

/** A frame as it came. */
export interface SeenFrame {
  readonly type: FrameType | number;
  readonly flag: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** The whole frames in what came; gives what is left. */
export function* framesIn(bytes: Buffer): Generator<SeenFrame, Buffer> {
  let rest = bytes;
  while (rest.byteLength >= 9 && rest.byteLength >= 9 + rest.readUIntBE(0, 3)) {
    const end = 9 + rest.readUIntBE(0, 3);
    const type = rest.readUInt8(3);
    const stream = rest.readUInt32BE(5) & 0x7fffffff;
    yield { type: namesOfTypes[type] ?? type, flag: rest.readUInt8(4), stream, payload: rest.subarray(9, end) };
    rest = rest.subarray(end);
  }
  return rest;
}

const errorIn = (payload: Buffer, at: number): string => errorNames[payload.readUInt32BE(at)] ?? 'another error';

/** What a frame says in words; undefined for those of housekeeping. */
function told({ type, flag, stream, payload }: SeenFrame): string | undefined {
  if (type === 'HEADERS' && (flag & flags.END_HEADERS) !== 0) return `${stream}: ${statusOf(payload)}`;
  if (type === 'RST_STREAM') return `${stream}: ${errorIn(payload, 0)}`;
  return type === 'GOAWAY' ? `GOAWAY ${errorIn(payload, 4)}` : undefined;
}

/** A connection by prior knowledge whose frames a test writes itself; ends with the test. */
export function openFrames(port: number, settings: readonly Buffer[] = []) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const seen: SeenFrame[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let isClosed = false;
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    const frames = framesIn(Buffer.concat([rest, chunk]));
    let next = frames.next();
    for (; next.done !== true; next = frames.next()) seen.push(next.value);
    rest = next.value;
    socket.emit('frames');
  });
  socket.once('close', () => {
    isClosed = true;
    socket.emit('frames');
  });
  onTestFinished(() => void socket.destroy());
  // No table of fields is kept here (SETTINGS_HEADER_TABLE_SIZE), so that a status can be read without one.
  socket.write(
    Buffer.concat([Buffer.from(preface), frame('SETTINGS', {}, Buffer.concat([setting(1, 0), ...settings]))]),
  );

  const story = (): string[] => [...seen.flatMap((one) => told(one) ?? []), ...(isClosed ? ['closed'] : [])];

  return {
    socket,
    seen,
    /** What came, in words: `1: 200`, `3: REFUSED_STREAM`, `GOAWAY NO_ERROR`, `closed`. */
    story,
    /** Resolves once the bytes have left, or cannot any more. */
    send: async (...frames: readonly Buffer[]): Promise<void> =>
      new Promise((resolve) => {
        if (socket.destroyed) return resolve();
        const done = (): void => resolve();
        socket.once('close', done);
        socket.write(Buffer.concat(frames), () => {
          socket.off('close', done);
          resolve();
        });
      }),
    /** Resolves once this was told. */
    async untilTold(what: string, deadlineMs?: number): Promise<void> {
      await this.untilHeld(what, () => story().includes(what), deadlineMs);
    },
    /** Resolves once what came holds this. Rejects when the connection closes without it. */
    async untilHeld(what: string, holds: () => boolean, deadlineMs?: number): Promise<void> {
      await until({
        what: `${what}, of ${port}`,
        holds: () => {
          if (isClosed && !holds()) throw new Error(`closed without ${what}: ${story().join(', ')}`);
          return holds();
        },
        subscribe: (check) => {
          socket.on('frames', check);
          return () => socket.off('frames', check);
        },
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      });
    },
  };
}
