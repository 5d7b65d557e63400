import { fieldBlock, flags, frame, headers, requestHead } from '../../support/http2-frames.ts';

/** What one connection sends after its preface and SETTINGS, and what must come of it. */
export interface FrameRow {
  readonly what: string;
  readonly frames: readonly Buffer[];
  /** Each must be told, in whatever order; `closed` last. See `story` of openFrames. */
  readonly told: readonly string[];
  /** What an upstream must have seen; nothing where absent. */
  readonly seen?: RegExp;
}

/** A row, in one line of a table. */
export const row = (what: string, frames: readonly Buffer[], told: readonly string[], seen?: RegExp): FrameRow => ({
  what,
  frames,
  told,
  ...(seen === undefined ? {} : { seen }),
});

/** The connection ends with this error. */
export const ends = (error: string): string[] => [`GOAWAY ${error}`, 'closed'];

/** Stream 1 alone ends with this error; stream 3 is served. */
export const resets = (error: string): string[] => [`1: ${error}`, '3: 200'];

/** What `resets` wants to be served. */
export const next = headers(3, requestHead('/probe'));

export const get = (more: readonly (readonly [string, string])[] = [], stream = 1): Buffer =>
  headers(stream, [...requestHead(), ...more]);

/** The start of a request whose body is to come. */
export const post = (more: readonly (readonly [string, string])[] = [], stream = 1): Buffer =>
  headers(stream, [...requestHead('/', { method: 'POST' }), ...more], 0);

export const data = (bytes: Buffer | string, flag = 0, stream = 1): Buffer => frame('DATA', { stream, flag }, bytes);

/** Fields as they are, with nothing before them. */
export const bare = (fields: readonly (readonly [string, string])[], flag: number = flags.END_STREAM): Buffer =>
  headers(1, fields, flag);

/** HEADERS with a block of bytes that may mean nothing. */
export const block = (bytes: readonly number[]): Buffer =>
  frame(
    'HEADERS',
    { stream: 1, flag: flags.END_HEADERS | flags.END_STREAM },
    Buffer.concat([fieldBlock(requestHead()), Buffer.from(bytes)]),
  );
