/**
 * A stream of HTTP/2 as the gateway knows requests and responses: one is handled as every other from here on.
 *
 *   ServerHttp2Stream ─▶ Http2Request, Http2Response ─▶ serveRequest
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { screenFor } from './header-class.ts';
import { fieldsOf, withoutPseudoHeaders } from './http2-headers.ts';
import type { RequestMessage, ResponseMessage } from './client-message.ts';
import { lingerMs } from './linger.ts';

/** Why a stream or a connection ends (RFC 9113 section 7). Not Node's own: its module is loaded with the first client. */
const noError = 0;
const cancelled = 8;
export const enhanceYourCalm = 11;

/** The client's connection, the same for all its streams. */
export type Http2Peer = RequestMessage['socket'];

/** What a field takes in a head besides its name and value, as HTTP/1.1 writes it. */
const fieldBytes = ': \r\n'.length;

/**
 * The fields without pseudo-headers, the authority as `host`, and how long they are. Whoever states a Host that differs
 * from it has stated two, which the guard refuses (RFC 9113 section 8.3.1). Cookies come in crumbs, and go on as one
 * (section 8.2.3).
 */
function readFields(raw: readonly string[], authority: string | undefined): { fields: string[]; bytes: number } {
  const fields = authority === undefined ? [] : ['host', authority];
  let bytes = 0;
  let cookie = -1;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const value = raw[i + 1] ?? '';
    bytes += name.length + value.length + fieldBytes;
    if (name.startsWith(':') || (name === 'host' && value.toLowerCase() === authority?.toLowerCase())) continue;
    if (name === 'cookie' && cookie !== -1) {
      fields[cookie] = `${fields[cookie]}; ${value}`;
      continue;
    }
    if (name === 'cookie') cookie = fields.length + 1;
    fields.push(name, value);
  }
  return { fields, bytes };
}

/** See the head of this file. */
export class Http2Request implements RequestMessage {
  readonly httpVersion = '2.0';
  readonly method: string;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** Of the whole head. */
  readonly headBytes: number;
  readonly isFollowedByBody: boolean;
  readonly socket: Http2Peer;
  rawTrailers: readonly string[] = [];
  readonly #stream: ServerHttp2Stream;
  readonly #receivedAtMs = performance.now();
  #isWhole = false;
  #mayLast = false;

  constructor(
    stream: ServerHttp2Stream,
    head: { readonly headers: IncomingHttpHeaders; readonly raw: readonly string[] },
    peer: Http2Peer,
  ) {
    const { headers, raw } = head;
    this.#stream = stream;
    this.method = headers[':method'] ?? '';
    this.url = headers[':path'];
    const authority = headers[':authority'];
    const { fields, bytes } = readFields(raw, authority);
    this.rawHeaders = fields;
    this.headBytes = bytes;
    // The object is this stream's own, and a copy would cost more than all else here.
    if (authority !== undefined) headers.host = authority;
    this.headers = headers;
    this.isFollowedByBody = !stream.endAfterHeaders;
    this.socket = peer;
  }

  get headersDistinct(): Readonly<Record<string, readonly string[] | undefined>> {
    const distinct: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
    for (let i = 0; i < this.rawHeaders.length; i += 2) {
      (distinct[this.rawHeaders[i] ?? ''] ??= []).push(this.rawHeaders[i + 1] ?? '');
    }
    return distinct;
  }

  get complete(): boolean {
    return this.#isWhole || !this.isFollowedByBody;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  /** Node also ends what was reset without an error: half a body would go on as the whole. */
  async *iterator(options: { readonly destroyOnReturn: boolean }): AsyncGenerator<unknown> {
    yield* this.#stream.iterator(options);
    this.#isWhole = !this.#stream.closed;
    if (!this.#isWhole) throw new Error('the stream ended amid its body');
  }

  mayLast(): void {
    this.#mayLast = true;
  }

  /** Whether the client owes more of its body than it should by now; what has come and was not read is not owed. */
  isOverdue(nowMs: number, requestTimeoutMs: number): boolean {
    if (this.complete || this.#mayLast || nowMs - this.#receivedAtMs < requestTimeoutMs) return false;
    return this.#stream.state.remoteClose !== 1;
  }
}

/** Headers of a connection of HTTP/1.1, which no message of HTTP/2 may have (RFC 9113 section 8.2.2). */
const ofConnection = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

const mayBeOfConnection = screenFor(ofConnection);

/** A head as Node takes it with the least work: a flat list, the status first. */
function headOf(status: number, flat: readonly string[]): string[] {
  const head = [':status', String(status)];
  for (let i = 0; i < flat.length; i += 2) {
    const name = (flat[i] ?? '').toLowerCase();
    if (!mayBeOfConnection(name) || !ofConnection.has(name)) head.push(name, flat[i + 1] ?? '');
  }
  return head;
}

function toHttp2(flat: readonly string[]): OutgoingHttpHeaders {
  const fields = fieldsOf(flat);
  for (const name of ofConnection) delete fields[name];
  return fields;
}

const owner = Symbol('owner');

/**
 * A stream and who answers it, until it closes. Its listeners are the same for all streams, and find by it whom to tell:
 * the old tables of Node's map of streams hold on to streams that are gone, until the old generation is collected, and
 * with them to what a listener closes over. Of 22 MB that requests had allocated 5 outlived them so; now 2.4 do.
 */
type OwnedStream = ServerHttp2Stream & { [owner]?: Http2Response | undefined };

function endStream(this: OwnedStream): void {
  this.destroy();
}

function tellClosed(this: OwnedStream): void {
  const response = this[owner];
  this[owner] = undefined;
  response?.closed();
}

function takeTrailers(this: OwnedStream, _: unknown, __: unknown, trailers: readonly string[]): void {
  const request = this[owner]?.request;
  if (request !== undefined) request.rawTrailers = withoutPseudoHeaders(trailers);
}

function askForTrailers(this: OwnedStream): void {
  this[owner]?.sendTrailers();
}

/** See the head of this file. */
export class Http2Response implements ResponseMessage {
  readonly gathersWrites = true;
  readonly request: Http2Request;
  readonly #stream: OwnedStream;
  readonly #onClose: (() => void)[] = [];
  #isEnded = false;
  #end: 'head' | 'trailers' | undefined = undefined;
  #trailers: OutgoingHttpHeaders = {};
  /** Since when the client has not taken what is there for it; undefined while it takes all. */
  #blockedSinceMs: number | undefined = undefined;
  /** When it was answered while the client had not sent the whole of its body. */
  #endedAmidBodyAtMs: number | undefined = undefined;

  constructor(stream: ServerHttp2Stream, request: Http2Request) {
    this.request = request;
    this.#stream = stream;
    this.#stream[owner] = this;
    stream.on('error', endStream).on('close', tellClosed);
    if (request.isFollowedByBody) stream.on('trailers', takeTrailers);
  }

  /** Tells those who asked for it. */
  closed(): void {
    for (const tell of this.#onClose) tell();
  }

  get headersSent(): boolean {
    return this.#stream.headersSent;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  get writableEnded(): boolean {
    return this.#stream.writableEnded;
  }

  /** Node also ends a stream that its client has reset. */
  get writableFinished(): boolean {
    return this.#isEnded;
  }

  writeContinue(): void {
    if (!this.destroyed) this.#stream.additionalHeaders({ ':status': 100 });
  }

  writeInformation(status: number, headers: string[]): void {
    if (this.destroyed || this.headersSent) return;
    const head = toHttp2(headers);
    head[':status'] = status;
    this.#try(() => this.#stream.additionalHeaders(head));
  }

  expectEnd(end: 'head' | 'trailers'): void {
    this.#end = end;
  }

  writeHead(status: number, _: string, headers: string[]): void {
    if (this.destroyed || this.headersSent) return;
    const waitForTrailers = this.#end === 'trailers';
    const head = headOf(status, headers);
    this.#try(() => this.#stream.respond(head, { endStream: this.#end === 'head', waitForTrailers }));
    if (waitForTrailers) this.#stream.on('wantTrailers', askForTrailers);
  }

  sendTrailers(): void {
    this.#try(() => this.#stream.sendTrailers(this.#trailers));
  }

  /** What HTTP/2 cannot carry resets this stream, and hurts no other: the fields are an upstream's. */
  #try(send: () => void): void {
    try {
      send();
    } catch (error) {
      this.#stream.destroy(error as Error);
    }
  }

  addTrailers(trailers: [name: string, value: string][]): void {
    this.#trailers = toHttp2(trailers.flat());
  }

  /** A head of HTTP/2 is not held. */
  flushHeaders(): void {}

  /** Nobody is told that a chunk is no longer needed: a session may hold what it has framed longer than its stream. */
  write(chunk: Buffer): boolean {
    if (this.writableEnded) return true; // it was answered otherwise meanwhile
    if (this.#stream.write(chunk)) return true;
    if (this.#blockedSinceMs === undefined) this.#stream.once('drain', () => (this.#blockedSinceMs = undefined));
    this.#blockedSinceMs ??= performance.now();
    return false;
  }

  end(data?: Buffer | string, encoding?: 'latin1' | 'utf8' | (() => void)): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#blockedSinceMs = performance.now();
    if (!this.#stream.endAfterHeaders && !this.#stream.readableEnded) this.#dropBody();
    if (this.#end === 'head') return; // it has ended with that
    if (typeof encoding === 'string') this.#stream.end(data, encoding);
    else this.#stream.end(data);
  }

  /**
   * What is left of a body is read and thrown away for a while, as over HTTP/1.1: clients lose an answer that comes with
   * a reset amid their body, NO_ERROR or not (RFC 9113 section 8.1).
   */
  #dropBody(): void {
    this.#endedAmidBodyAtMs = performance.now();
    // Node would reset the stream at once if nobody has read of it.
    if (this.#stream.readableFlowing === null) this.#stream.resume();
    // Who was reading the body lets go of it first.
    else setImmediate(() => this.#stream.resume());
  }

  /** Whether Node reset it over more fields than it reads, which only trailers can still be. */
  get isRefusedByNode(): boolean {
    return this.#stream.rstCode === enhanceYourCalm;
  }

  /** Whether the client has left for so long what is there for it. */
  isBlocked(nowMs: number, timeoutMs: number): boolean {
    const since = this.#blockedSinceMs;
    return since !== undefined && nowMs - since >= timeoutMs && !this.#stream.writableFinished;
  }

  /** Whether the client has gone on with its body for long enough after the whole of its answer. */
  isLingering(nowMs: number): boolean {
    return this.#endedAmidBodyAtMs !== undefined && nowMs - this.#endedAmidBodyAtMs >= lingerMs;
  }

  /** The client is asked to end its body. */
  stopBody(): void {
    this.#stream.close(noError);
  }

  /** The client does not take its answer. */
  cancel(): void {
    this.#stream.close(cancelled);
  }

  /** The client learns that the rest is missing: the stream is reset. */
  destroy(error?: Error): void {
    this.#stream.destroy(error);
  }

  once(event: 'close' | 'drain', listener: () => void): void {
    if (event === 'close') this.#onClose.push(listener);
    else this.#stream.once(event, listener);
  }
}
