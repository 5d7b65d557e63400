/**
 * Responses over HTTP/1.1 (RFC 9112). Node's server reads the requests, and says whose turn it is on a connection and
 * when that ends; what is sent is written here. Node's own response checks each field that has been checked, reads a
 * Content-Disposition that comes behind a Content-Length as UTF-8, and keeps much that nobody here asks for: a tenth of
 * what a small answer costs. Decision 0025 tells which of Node's fields this goes by.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ResponseMessage } from './client-message.ts';
import { fieldLines } from './http1-outgoing.ts';
import { hangUp } from './hang-up.ts';
import { STATUS_CODES } from './node-http.ts';
import { responseHead } from './response-head.ts';

type Told = () => void;
type Written = (error?: Error | null) => void;

const both = (first: Told | undefined, second: Told): Told =>
  first === undefined
    ? second
    : () => {
        first();
        second();
      };

/** A connection of Node's server. */
type ServedSocket = Socket & {
  /** The response that leaves next; Node's server goes by it, too. */
  _httpMessage?: Http1Response | null;
  [isWatched]?: true;
  /** Those whose turn comes later, if there ever were any. */
  [waiting]?: Set<Http1Response>;
};

const isWatched = Symbol('is watched');
const waiting = Symbol('waiting');

/**
 * The same for all, and once for each connection: a response is the connection's for a moment. Node's server tells those
 * that wait as well, but not on a connection that it has handed over.
 */
function tellClosed(this: ServedSocket): void {
  this._httpMessage?.closed();
  for (const response of this[waiting] ?? []) response.destroy();
}

/** The response that leaves next on a connection. */
export const nextToLeave = (socket: Duplex): Http1Response | undefined =>
  (socket as ServedSocket)._httpMessage ?? undefined;

/**
 * Node hands a connection over, for an upgrade or CONNECT, while answers may be under way on it. Tells at once where
 * there are none, else once they have left, and never where the connection ends before that.
 */
export function onceAnswered(socket: ServedSocket, tell: Told): void {
  const next = nextToLeave(socket);
  if (next === undefined) return tell();
  // Node no longer listens to it.
  socket.on('error', hangUp);
  next.once('finish', () => {
    if (socket.writable) onceAnswered(socket, tell);
  });
}

/** Whether what is written is handed to the kernel right then. Over TLS it is not. */
const leavesAtOnce = (socket: Socket): boolean =>
  socket.writable && socket.writableLength === 0 && !('encrypted' in socket);

const asBytes = (data: string | Buffer, encoding: 'latin1' | 'utf8'): Buffer =>
  typeof data === 'string' ? Buffer.from(data, encoding) : data;

/** What is written before it is this response's turn. */
interface Held {
  readonly data: string | Buffer;
  readonly encoding: 'latin1' | 'utf8';
  readonly onWritten: Written | undefined;
}

/** A response to a client of HTTP/1.1; see the head of this file. */
export class Http1Response implements ResponseMessage {
  /** Those whose last byte has left in this turn. */
  static #ended: Http1Response[] = [];

  readonly req: IncomingMessage;
  /** Null while answers to requests before it have to leave first, and once it has left. */
  socket: ServedSocket | null = null;
  /** Whether the connection stays for another request, as far as that request says. */
  shouldKeepAlive = true;
  headersSent = false;
  destroyed = false;
  writableFinished = false;

  // What Node's server sets and reads.
  finished = false;
  /** Whether the connection ends with this response. */
  _last = false;
  _closed = false;
  /** In milliseconds; 0 for none. */
  _keepAliveTimeout = 0;
  /** Whether the client waits for 100 Continue. */
  _expect_continue = false;
  /** Told of bytes that are held: a client that asks and takes no answers is read no more. */
  _onPendingData: ((bytes: number) => void) | undefined = undefined;

  /** Written and not sent. */
  #head = '';
  #hasBody: boolean;
  #isChunked = false;
  #hasContinued = false;
  #trailers = '';
  #held: Held[] | undefined = undefined;
  #heldBytes = 0;
  /** Holds what is written until the end of the turn. */
  #corked: Socket | undefined = undefined;
  /** Whether a part was more than there was room for. */
  #isFull = false;
  #onFinish: Told | undefined = undefined;
  #onClose: Told | undefined = undefined;
  #onDrain: Told | undefined = undefined;

  constructor(req: IncomingMessage) {
    this.req = req;
    this.#hasBody = req.method !== 'HEAD';
    const socket: ServedSocket = req.socket;
    if (nextToLeave(socket) !== undefined) (socket[waiting] ??= new Set()).add(this);
  }

  get writableEnded(): boolean {
    return this.finished;
  }

  /** Where it is, Node's server says nothing else to what it cannot read behind this request. */
  get _headerSent(): boolean {
    return this.headersSent && this.#head === '';
  }

  on(event: 'finish' | 'close' | 'drain', listener: Told): this {
    return this.once(event, listener);
  }

  /** @param event `finish`: all has been handed to the kernel; `close`: nothing will happen any more */
  once(event: 'finish' | 'close' | 'drain', listener: Told): this {
    if (event === 'finish') this.#onFinish = both(this.#onFinish, listener);
    else if (event === 'close') this.#onClose = both(this.#onClose, listener);
    else this.#onDrain = both(this.#onDrain, listener);
    return this;
  }

  /** For Node's server, which tells of `close`, and asks by `timeout` whether somebody else sees to that. */
  emit(event: string): boolean {
    if (event === 'close') this.#onClose?.();
    return event === 'close';
  }

  /** The connection is gone. */
  closed(): void {
    if (this._closed) return;
    this.destroyed = true;
    this._closed = true;
    this.#onClose?.();
  }

  #drained(): void {
    this.#isFull = false;
    const tell = this.#onDrain;
    this.#onDrain = undefined;
    tell?.();
  }

  /** It is this response's turn. */
  assignSocket(socket: ServedSocket): void {
    socket._httpMessage = this;
    socket[waiting]?.delete(this);
    if (socket[isWatched] === undefined) {
      socket[isWatched] = true;
      socket.on('close', tellClosed);
    }
    this.socket = socket;
    // It broke off before its turn, which only a cut connection tells.
    if (this.destroyed) socket.destroy();
    else if (this.#held !== undefined) this.#sendHeld(this.#held, socket);
  }

  detachSocket(socket: ServedSocket): void {
    socket._httpMessage = null;
    this.socket = null;
  }

  #sendHeld(held: readonly Held[], socket: Socket): void {
    this.#held = undefined;
    if (!socket.writable) return;
    socket.cork();
    for (const { data, encoding, onWritten } of held) socket.write(data, encoding, onWritten);
    socket.uncork();
    this._onPendingData?.(-this.#heldBytes);
    // What was too much to be held is as much for the connection.
    if (this.#isFull) socket.once('drain', () => this.#drained());
  }

  /** Cuts the connection in the middle of anything. */
  destroy(error?: Error): this {
    this.destroyed = true;
    if (this.socket !== null) this.socket.destroy(error);
    else process.nextTick(() => this.closed());
    return this;
  }

  /** Before the head; RFC 9110 section 15.2. */
  writeContinue(): void {
    this.#hasContinued = true;
    this.writeInformation(100, []);
  }

  writeInformation(status: number, headers: readonly string[]): void {
    if (this.finished) return;
    const start = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
    this.#write(`${start}${fieldLines(headers)}\r\n`, 'latin1');
  }

  /** It is sent with the first of the body. @param fields flat list of names and values */
  writeHead(status: number, reason: string, fields: readonly string[]): this {
    // What was late has been answered for it, and may still be on its way.
    if (this.finished) return this;
    if (status === 204 || status === 304) this.#hasBody = false;
    // The body may come although nobody has waited for it, and none can tell it from another request.
    if (this._expect_continue && !this.#hasContinued) this.shouldKeepAlive = false;
    const { text, isLast, isChunked } = responseHead(status, reason, fields, {
      mayStay: this.shouldKeepAlive,
      keepAliveMs: this._keepAliveTimeout,
      hasBody: this.#hasBody,
      knowsChunks: this.req.httpVersion !== '1.0',
    });
    this.#head = text;
    this.#isChunked = isChunked;
    if (isLast) this._last = true;
    this.headersSent = true;
    return this;
  }

  /** Sends a head that waits for the first of the body. */
  flushHeaders(): void {
    if (this.#head !== '') this.#write(this.#takeHead(), 'latin1');
  }

  #takeHead(): string {
    const head = this.#head;
    this.#head = '';
    return head;
  }

  /** @param onWritten called once the chunk is no longer needed */
  write(chunk: Buffer, onWritten?: Told): boolean {
    if (this.finished || this.destroyed) return true;
    if (!this.#hasBody || chunk.byteLength === 0) {
      if (onWritten !== undefined) process.nextTick(onWritten);
      return true;
    }
    this.#corkForNow();
    if (!this.#isChunked) {
      this.flushHeaders();
      return this.#hasRoom(this.#write(chunk, 'latin1', onWritten));
    }
    this.#write(`${this.#takeHead()}${chunk.byteLength.toString(16)}\r\n`, 'latin1');
    this.#write(chunk, 'latin1', onWritten);
    return this.#hasRoom(this.#write('\r\n', 'latin1'));
  }

  /** What is written in one turn leaves in one piece. */
  #corkForNow(): void {
    if (this.#corked !== undefined || this.socket === null) return;
    this.#corked = this.socket;
    this.#corked.cork();
    process.nextTick(() => this.#uncork());
  }

  #uncork(): void {
    this.#corked?.uncork();
    this.#corked = undefined;
  }

  /** Sees to it that `drain` is told, where there is no room. */
  #hasRoom(isThere: boolean): boolean {
    if (isThere || this.#isFull) return isThere;
    this.#isFull = true;
    // What is held is told of when it is sent.
    this.socket?.once('drain', () => this.#drained());
    return false;
  }

  /** Gives whether there is room for more. */
  #write(data: string | Buffer, encoding: 'latin1' | 'utf8', onWritten?: Written): boolean {
    const { socket } = this;
    if (socket === null) return this.#hold({ data, encoding, onWritten });
    // Nobody takes it any more: there is no room, until `close` tells who waits.
    if (!socket.writable) return false;
    return socket.write(data, encoding, onWritten);
  }

  #hold(held: Held): boolean {
    (this.#held ??= []).push(held);
    this.#heldBytes += held.data.length;
    this._onPendingData?.(held.data.length);
    return this.#heldBytes < this.req.socket.writableHighWaterMark;
  }

  /** What is sent behind a body in chunks (RFC 9112 section 7.1.2). */
  addTrailers(trailers: readonly (readonly [name: string, value: string])[]): void {
    this.#trailers = fieldLines(trailers.flat());
  }

  /** @param how how a text is written, or who is told that bytes are no longer needed */
  end(data?: string | Buffer, how?: 'latin1' | 'utf8' | Told): void {
    if (this.finished || this.destroyed) return;
    const encoding = typeof how === 'string' ? how : 'latin1';
    const onWritten = typeof how === 'function' ? how : undefined;
    const isWhole = data !== undefined && this.#hasBody && !this.#isChunked;
    if (data !== undefined && !isWhole) this.write(asBytes(data, encoding), onWritten);
    this.finished = true;
    if (isWhole) this.#endWith(data, encoding, onWritten);
    else this.#endBody();
    this.#uncork();
  }

  /** Text leaves in one piece with the head, where both are written alike. */
  #endWith(data: string | Buffer, encoding: 'latin1' | 'utf8', onWritten?: Told): void {
    if (typeof data === 'string' && encoding === 'latin1') return this.#writeLast(this.#takeHead() + data);
    this.#corkForNow();
    this.flushHeaders();
    this.#write(data, encoding, (error) => {
      onWritten?.();
      this.#written(error);
    });
  }

  #endBody(): void {
    const rest = this.#isChunked ? `${this.#takeHead()}0\r\n${this.#trailers}\r\n` : this.#takeHead();
    this.#writeLast(rest);
  }

  /** What leaves at once needs no callback, which Node would make a tick for: one tells all that end in one turn. */
  #writeLast(text: string): void {
    const { socket } = this;
    if (socket === null || this.#corked !== undefined || !leavesAtOnce(socket)) {
      this.#write(text, 'latin1', (error) => this.#written(error));
      return;
    }
    socket.write(text, 'latin1');
    // The kernel took a part of it.
    if (socket.writableLength > 0) socket.write('', 'latin1', (error) => this.#written(error));
    else if (Http1Response.#ended.push(this) === 1) process.nextTick(Http1Response.#tellEnded);
  }

  static #tellEnded(this: void): void {
    const ended = Http1Response.#ended;
    Http1Response.#ended = [];
    for (const response of ended) response.#written();
  }

  #written(error?: Error | null): void {
    if ((error ?? this.socket?.errored ?? undefined) !== undefined) return; // `close` follows
    this.writableFinished = true;
    this.#onFinish?.();
  }
}
