import { readContentLength } from './content-length.ts';
import { lowerName } from './header-name.ts';
import { mostInterims } from './upstream.ts';

/**
 * Parses HTTP/1.1 responses (RFC 9112), at least as strictly as llhttp: whatever is accepted here, llhttp
 * accepts with the same result (test/unit/gateway/response-parser.test.ts compares them on mutated
 * responses). Anything ambiguous is an error, and the connection is not used again.
 */
export interface ResponseEvents {
  /** An interim response (RFC 9110 section 15.2); `onHead` follows. */
  onInterim(status: number, headers: readonly string[]): void;
  onHead(status: number, statusText: string, headers: readonly string[]): void;
  onData(chunk: Buffer): void;
  /**
   * @param isReusable whether another request may follow on the connection
   * @param trailers flat list of names and values, if any came
   */
  onEnd(isReusable: boolean, trailers: readonly string[] | undefined): void;
}

/** Bytes of a head, or of trailers; what Node's own client takes. */
const headLimitBytes = 16 * 1024;
const sizeLineLimitBytes = 256;

const head =
  /^HTTP\/1\.([01]) ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*)$/;
const trailers = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/;
const sizeLine = /^([0-9A-Fa-f]{1,8})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?)*$/;

const outerSpace = /^[\t ]+|[\t ]+$/g;
/** A value as nearly every server writes it: one space before it, none behind. */
const space = 32;
const tab = 9;
/** Fields that say where a message ends: where they stand oddly, parsers differ on what they mean. */
const framingField = /^(?:content-length|transfer-encoding|connection|proxy-connection|upgrade):/im;
const oddValue = /^[\t ]*\t|[\t ]$/;

/** What of the response is expected next. */
type State = 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers' | 'done';

/** What the headers say of the body and the connection. */
interface Framing {
  readonly contentLength: number | undefined;
  readonly isChunked: boolean;
  readonly isClosing: boolean;
}

/** The response cannot be trusted. */
export class ResponseSyntaxError extends Error {}

const isSpace = (code: number): boolean => code === space || code === tab;

/** The value between the colon of a field and the end of its line. @throws ResponseSyntaxError */
function valueOf(lines: string, at: number, colon: number, end: number): string {
  const first = colon + 2;
  const isUsual =
    lines.charCodeAt(colon + 1) === space &&
    first < end &&
    !isSpace(lines.charCodeAt(first)) &&
    !isSpace(lines.charCodeAt(end - 1));
  if (isUsual) return lines.slice(first, end);
  const value = lines.slice(colon + 1, end);
  if (oddValue.test(value) && framingField.test(lines.slice(at, colon + 1))) {
    throw new ResponseSyntaxError('white space around a framing field');
  }
  return value.replace(outerSpace, '');
}

/** @throws ResponseSyntaxError */
function parseHeaders(lines: string): string[] {
  const headers: string[] = [];
  let at = 0;
  while (at < lines.length) {
    const end = lines.indexOf('\r\n', at);
    const colon = lines.indexOf(':', at);
    headers.push(lines.slice(at, colon), valueOf(lines, at, colon, end));
    at = end + 2;
  }
  return headers;
}

/** The fields that say where a response ends, each as its last value. */
interface FramingFields {
  length: string | undefined;
  coding: string | undefined;
  /** How many of the two there are. */
  count: number;
  isClosing: boolean;
}

function readField(fields: FramingFields, lower: string, value: string): void {
  if (lower === 'content-length') fields.length = value;
  else if (lower === 'transfer-encoding') fields.coding = value;
  else {
    if (lower === 'connection' && /(?:^|[\t ,])close(?:$|[\t ,])/i.test(value)) fields.isClosing = true;
    return;
  }
  fields.count += 1;
}

/** By their lengths most fields are known to be none of them. */
const isFramingLength = (length: number): boolean => length === 10 || length === 14 || length === 17;

/** RFC 9112 section 6.3, without its leniencies. @throws ResponseSyntaxError */
function readFraming(headers: readonly string[], isOld: boolean): Framing {
  const fields: FramingFields = { length: undefined, coding: undefined, count: 0, isClosing: isOld };
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (isFramingLength(name.length)) readField(fields, lowerName(name), headers[i + 1] ?? '');
  }
  const { length, coding, count, isClosing } = fields;
  if (count > 1) throw new ResponseSyntaxError('more than one length');
  const contentLength = length === undefined ? undefined : readContentLength(length);
  if (length !== undefined && contentLength === undefined) throw new ResponseSyntaxError('bad Content-Length');
  const isChunked = coding !== undefined;
  if (isChunked && (isOld || coding.toLowerCase() !== 'chunked')) {
    throw new ResponseSyntaxError('bad Transfer-Encoding');
  }
  return { contentLength, isChunked, isClosing };
}

/** An interim response has no body to frame. @throws ResponseSyntaxError */
function assertInterim(fields: string, isOld: boolean): void {
  if (isOld || framingField.test(fields)) throw new ResponseSyntaxError('framing in an interim response');
}

/** Parses the responses of one connection, one after the other. A class because each connection keeps one. */
export class ResponseParser {
  readonly #events: ResponseEvents;
  #state: State = 'done';
  #isHead = false;
  #isReusable = true;
  #interims = 0;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #remaining = 0;
  /** Start of a head or line whose end has not come yet. */
  #pending: Buffer | undefined = undefined;

  constructor(events: ResponseEvents) {
    this.#events = events;
  }

  /** Expects the response to a request; a HEAD has no body whatever its headers say. */
  expect(isHead: boolean): void {
    this.#state = 'head';
    this.#isHead = isHead;
    this.#isReusable = true;
    this.#interims = 0;
  }

  /** Whether anything of the response has come, interim ones included: the request has been read then. */
  get hasBegun(): boolean {
    return this.#state !== 'head' || this.#pending !== undefined || this.#interims > 0;
  }

  /**
   * Looks at the next bytes; none of them is kept, and what `onData` gets of them is not a copy.
   *
   * @throws ResponseSyntaxError
   */
  feed(received: Buffer): void {
    let rest = this.#pending === undefined ? received : Buffer.concat([this.#pending, received]);
    this.#pending = undefined;
    while (rest.byteLength > 0) {
      const used = this.#step(rest);
      if (used === 0) {
        this.#pending = Buffer.from(rest);
        return;
      }
      rest = used === rest.byteLength ? empty : rest.subarray(used);
    }
  }

  /** The connection has ended cleanly. Gives whether that completes the response. */
  finish(): boolean {
    if (this.#state !== 'until-close') return false;
    this.#isReusable = false;
    this.#end();
    return true;
  }

  /** Takes what it can from the start of the bytes; 0 if more must come first. */
  #step(bytes: Buffer): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes);
      case 'length':
      case 'chunk-data':
        return this.#readData(bytes);
      case 'until-close':
        this.#events.onData(bytes);
        return bytes.byteLength;
      case 'chunk-size':
        return this.#readSize(bytes);
      case 'chunk-end':
        return this.#readChunkEnd(bytes);
      case 'trailers':
        return this.#readTrailers(bytes);
      case 'done':
        throw new ResponseSyntaxError('bytes that belong to no response');
    }
  }

  #readHead(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1 || end > headLimitBytes) {
      if (bytes.byteLength > headLimitBytes) throw new ResponseSyntaxError('the head is too large');
      return 0;
    }
    const parts = head.exec(bytes.toString('latin1', 0, end + 2));
    if (parts === null) throw new ResponseSyntaxError('bad head');
    const status = Number(parts[2]);
    if (status === 101) throw new ResponseSyntaxError('a switch of protocols that nobody asked for');
    const fields = parts[4] ?? '';
    const isOld = parts[1] === '0';
    if (status < 200) this.#readInterim(status, fields, isOld);
    else this.#beginBody(status, parts[3] ?? '', parseHeaders(fields), isOld);
    return end + 4;
  }

  /** @throws ResponseSyntaxError also where there is no end of them */
  #readInterim(status: number, fields: string, isOld: boolean): void {
    assertInterim(fields, isOld);
    this.#interims += 1;
    if (this.#interims > mostInterims) throw new ResponseSyntaxError('interim responses without end');
    this.#events.onInterim(status, parseHeaders(fields));
  }

  #beginBody(status: number, statusText: string, headers: readonly string[], isOld: boolean): void {
    const framing = readFraming(headers, isOld);
    this.#isReusable = !framing.isClosing;
    this.#events.onHead(status, statusText, headers);
    if (this.#isHead || status === 204 || status === 304 || framing.contentLength === 0) return this.#end();
    if (framing.isChunked) this.#state = 'chunk-size';
    else if (framing.contentLength === undefined) this.#state = 'until-close';
    else {
      this.#state = 'length';
      this.#remaining = framing.contentLength;
    }
  }

  #readData(bytes: Buffer): number {
    const used = Math.min(this.#remaining, bytes.byteLength);
    this.#remaining -= used;
    this.#events.onData(used === bytes.byteLength ? bytes : bytes.subarray(0, used));
    if (this.#remaining > 0) return used;
    if (this.#state === 'length') this.#end();
    else this.#state = 'chunk-end';
    return used;
  }

  #readSize(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n');
    if (end === -1 || end > sizeLineLimitBytes) {
      if (bytes.byteLength > sizeLineLimitBytes) throw new ResponseSyntaxError('the chunk size is too long');
      return 0;
    }
    const size = sizeLine.exec(bytes.toString('latin1', 0, end))?.[1];
    if (size === undefined) throw new ResponseSyntaxError('bad chunk size');
    this.#remaining = Number.parseInt(size, 16);
    this.#state = this.#remaining === 0 ? 'trailers' : 'chunk-data';
    return end + 2;
  }

  #readChunkEnd(bytes: Buffer): number {
    if (bytes.byteLength < 2 && bytes[0] === 13) return 0;
    if (bytes[0] !== 13 || bytes[1] !== 10) throw new ResponseSyntaxError('bad end of a chunk');
    this.#state = 'chunk-size';
    return 2;
  }

  #readTrailers(bytes: Buffer): number {
    // No trailers at all is an empty line right away.
    const isEmpty = bytes[0] === 13 && bytes[1] === 10;
    const end = isEmpty ? 0 : bytes.indexOf('\r\n\r\n');
    if (end === -1 || end > headLimitBytes) {
      if (bytes.byteLength > headLimitBytes) throw new ResponseSyntaxError('the trailers are too large');
      return 0;
    }
    if (isEmpty) {
      this.#end();
      return 2;
    }
    const lines = bytes.toString('latin1', 0, end + 2);
    if (!trailers.test(lines) || framingField.test(lines)) throw new ResponseSyntaxError('bad trailers');
    this.#end(parseHeaders(lines));
    return end + 4;
  }

  #end(fields?: readonly string[]): void {
    this.#state = 'done';
    this.#events.onEnd(this.#isReusable, fields);
  }
}

const empty = Buffer.alloc(0);
