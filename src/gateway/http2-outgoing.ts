import {
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { fieldsOf, withoutPseudoHeaders } from './http2-headers.ts';
import { drained } from './socket-ready.ts';
import { timedBody } from './timed-body.ts';
import {
  mostInterims,
  type ResponseListener,
  type UpstreamExchange,
  type UpstreamFault,
  type UpstreamRequest,
} from './upstream.ts';

/** What a stream asks of its connection, and tells it. */
export interface StreamHost {
  /** Whether the endpoint has said that it has not looked at a stream. */
  hasRefused(stream: ClientHttp2Stream): boolean;
  /** Whether the connection itself has ended. */
  readonly isBroken: boolean;
  /** Something of an answer came; `head` for the first of it. */
  heard(what: 'head' | 'part'): void;
  /** When anything was last heard. */
  readonly heardAtMs: number;
  /** The endpoint was silent, or took nothing, for longer than it may; what was heard before is from then. */
  suspect(heardBeforeMs: number): void;
}

/** What is for a connection of HTTP/1.1 is not among what comes here. */
function headOf({ method, path, headers, tls }: UpstreamRequest): OutgoingHttpHeaders {
  const [, authority = '', ...fields] = headers; // Host stands first
  const head = { ':method': method, ':path': path, ':scheme': tls === undefined ? 'http' : 'https' };
  return Object.assign(fieldsOf(fields), head, { ':authority': authority });
}

/** One request, on its way to a stream and on it. A class because one is made for every request and Node calls it back. */
export class OutgoingStream implements UpstreamExchange {
  readonly #listener: ResponseListener;
  readonly #request: UpstreamRequest;
  #host: StreamHost | undefined = undefined;
  #stream: ClientHttp2Stream | undefined = undefined;
  #leave: (() => void) | undefined = undefined;
  #trailers: readonly string[] | undefined = undefined;
  #interims = 0;
  /** When something was last heard on the connection before the request was sent. */
  #heardBeforeMs = 0;
  #hasHead = false;
  #hasData = false;
  /** Whether the endpoint has ended its side (END_STREAM). */
  #hasCome = false;
  #isOver = false;

  constructor(request: UpstreamRequest, listener: ResponseListener) {
    this.#request = request;
    this.#listener = listener;
  }

  /** Waits among others for a connection, at most as long as one may take to be there: nothing has been sent. */
  waitIn(queue: Set<OutgoingStream>): void {
    const late = (): void => this.fail('connect-timeout', new Error('no connection had room in time'));
    const timer = setTimeout(late, this.#request.connectTimeoutMs);
    queue.add(this);
    this.#leave = () => {
      clearTimeout(timer);
      queue.delete(this);
    };
  }

  abort(): void {
    this.#isOver = true;
    this.#leave?.();
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  resume(): void {
    this.#stream?.resume();
  }

  /** Gives the exchange up and says why. */
  fail(fault: UpstreamFault, error: Error): void {
    if (this.#isOver) return;
    this.abort();
    if (fault === 'timeout') this.#host?.suspect(this.#heardBeforeMs);
    this.#listener.onFault(fault, error);
  }

  /** Sends the request and gives its stream. */
  start(session: ClientHttp2Session, host: StreamHost): ClientHttp2Stream {
    this.#leave?.();
    this.#host = host;
    this.#heardBeforeMs = host.heardAtMs;
    const { body, readTimeoutMs, trailers } = this.#request;
    const waitForTrailers = trailers !== undefined;
    const stream = session.request(headOf(this.#request), { endStream: body === null, waitForTrailers });
    this.#stream = stream;
    if (waitForTrailers) stream.once('wantTrailers', () => this.#sendTrailers(stream));
    stream.setTimeout(readTimeoutMs, () => this.fail('timeout', new Error('the upstream is silent')));
    this.#noteEnd(stream);
    stream.on('headers', (headers, _, raw) => this.#receiveInterim(headers, raw));
    stream.on('response', (headers, flags, raw) => this.#receiveHead(headers, flags, raw));
    stream.on('trailers', (_, __, raw) => (this.#trailers = withoutPseudoHeaders(raw)));
    stream.on('data', (chunk: Buffer) => this.#receive(stream, chunk));
    stream.on('end', () => this.#end());
    stream.on('error', (error) => this.fail(this.#faultOfEnd(stream), error));
    stream.on('close', () =>
      this.fail(this.#faultOfEnd(stream), new Error(`the stream was closed: ${stream.rstCode}`)),
    );
    if (Buffer.isBuffer(body)) stream.end(body);
    else if (body !== null) void this.#send(stream, body);
    return stream;
  }

  /**
   * Node ends what was reset with NO_ERROR like what has come whole, and nothing it tells apart the two (RFC 9113
   * section 8.1): the end of either is pushed, but only of what was reset once the stream is closed.
   */
  #noteEnd(stream: ClientHttp2Stream): void {
    const push = stream.push.bind(stream);
    stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null && !stream.closed) this.#hasCome = true;
      return push(chunk, encoding);
    };
  }

  #receiveInterim(headers: IncomingHttpHeaders, raw: readonly string[]): void {
    if (this.#isOver) return;
    this.#host?.heard('part');
    this.#interims += 1;
    if (this.#interims > mostInterims) return this.fail('invalid', new Error('interim responses without end'));
    this.#listener.onInterim(Number(headers[':status']), withoutPseudoHeaders(raw));
  }

  #receiveHead(headers: IncomingHttpHeaders, flags: number, raw: readonly string[]): void {
    if (this.#isOver) return;
    this.#host?.heard('head');
    this.#hasHead = true;
    this.#request.kept?.forget();
    const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    this.#listener.onHead(Number(headers[':status']), '', withoutPseudoHeaders(raw), isWhole);
    if (!isWhole) setImmediate(() => this.#tellHeadAlone());
  }

  #tellHeadAlone(): void {
    if (!this.#hasData && !this.#isOver) this.#listener.onHeadAlone();
  }

  #receive(stream: ClientHttp2Stream, chunk: Buffer): void {
    this.#hasData = true;
    if (this.#isOver) return;
    this.#host?.heard('part');
    if (!this.#listener.onData(chunk)) stream.pause();
  }

  #end(): void {
    if (this.#isOver || !this.#hasHead || !this.#hasCome) return; // what is missing is told when the stream closes
    this.#isOver = true;
    this.#listener.onEnd(this.#trailers);
  }

  async #send(stream: ClientHttp2Stream, body: AsyncIterable<Buffer>): Promise<void> {
    const late = (): void => this.fail('timeout', new Error('sending took too long'));
    try {
      for await (const chunk of timedBody(body, this.#request.writeTimeoutMs, late)) {
        if (stream.destroyed || stream.writableEnded) return;
        if (!stream.write(chunk)) await drained(stream);
      }
      stream.end();
    } catch (error) {
      // The client went away amid its body, or the stream did: it has said so itself.
      this.fail('closed', error as Error);
    }
  }

  #sendTrailers(stream: ClientHttp2Stream): void {
    const flat = this.#request.trailers?.() ?? [];
    if (this.#isOver) return;
    try {
      stream.sendTrailers(fieldsOf(flat));
    } catch (error) {
      this.fail('closed', error as Error);
    }
  }

  /**
   * A stream that the endpoint has not looked at is safe to send again, if its body is still there. One that it has
   * reset has been looked at; one whose connection ended may have been.
   */
  #faultOfEnd(stream: ClientHttp2Stream): UpstreamFault {
    if (this.#hasHead) return 'invalid';
    const { body, kept } = this.#request;
    const isWhole = body === null || Buffer.isBuffer(body) || kept?.isKept() === true;
    if (this.#host?.hasRefused(stream) === true) return isWhole ? 'refused' : 'closed';
    return this.#host?.isBroken === true ? 'closed' : 'invalid';
  }
}
