import {
  connect as connectHttp2,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect } from 'node:net';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { fieldsOf, withoutPseudoHeaders } from './http2-headers.ts';
import type { PoolSettings } from './proxy-settings.ts';
import { drained } from './socket-ready.ts';
import { timedBody } from './timed-body.ts';
import {
  mostInterims,
  originOf,
  originsOf,
  type ResolvedTarget,
  type ResponseListener,
  type UpstreamClient,
  type UpstreamExchange,
  type UpstreamFault,
  type UpstreamRequest,
} from './upstream.ts';
import { connectTimeoutCode, connectTls, serverNameOf } from './upstream-tls.ts';

/** Until an endpoint says how many streams it takes, so many; what RFC 9113 section 6.5.2 advises at least. */
const streamsUntilTold = 100;

/** A connection to one target and the streams on it. */
interface Line {
  readonly session: Promise<ClientHttp2Session>;
  /** The same once it is open. */
  opened: ClientHttp2Session | undefined;
  streams: number;
  /** Streams that the endpoint takes at once. */
  capacity: number;
  /** Nothing new may be sent on it. */
  isClosing: boolean;
}

interface Origin {
  readonly name: string;
  readonly lines: Set<Line>;
}

/** What is for a connection of HTTP/1.1 is not among what comes here. */
function headOf({ method, path, headers, tls }: UpstreamRequest): OutgoingHttpHeaders {
  const [, authority = '', ...fields] = headers; // Host stands first
  const head = { ':method': method, ':path': path, ':scheme': tls === undefined ? 'http' : 'https' };
  return Object.assign(fieldsOf(fields), head, { ':authority': authority });
}

/** One stream. A class because one is made for every request and Node calls it back. */
class Http2Exchange implements UpstreamExchange {
  readonly #listener: ResponseListener;
  readonly #request: UpstreamRequest;
  #stream: ClientHttp2Stream | undefined = undefined;
  #trailers: readonly string[] | undefined = undefined;
  #interims = 0;
  #hasHead = false;
  #hasData = false;
  #isOver = false;

  constructor(request: UpstreamRequest, listener: ResponseListener) {
    this.#request = request;
    this.#listener = listener;
  }

  abort(): void {
    this.#isOver = true;
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  resume(): void {
    this.#stream?.resume();
  }

  /** Gives the exchange up and says why. */
  fail(fault: UpstreamFault, error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream?.close(constants.NGHTTP2_CANCEL);
    this.#listener.onFault(fault, error);
  }

  /** Sends the request; gives its stream, or nothing if it was given up before. */
  start(session: ClientHttp2Session): ClientHttp2Stream | undefined {
    if (this.#isOver) return undefined;
    const { body, readTimeoutMs, trailers } = this.#request;
    const waitForTrailers = trailers !== undefined;
    const stream = session.request(headOf(this.#request), { endStream: body === null, waitForTrailers });
    this.#stream = stream;
    if (waitForTrailers) stream.once('wantTrailers', () => this.#sendTrailers(stream));
    stream.setTimeout(readTimeoutMs, () => this.fail('timeout', new Error('the upstream is silent')));
    stream.on('headers', (headers, _, raw) => this.#receiveInterim(headers, raw));
    stream.on('response', (headers, flags, raw) => this.#receiveHead(headers, flags, raw));
    stream.on('trailers', (_, __, raw) => (this.#trailers = withoutPseudoHeaders(raw)));
    stream.on('data', (chunk: Buffer) => {
      this.#hasData = true;
      if (!this.#isOver && !this.#listener.onData(chunk)) stream.pause();
    });
    stream.on('end', () => this.#end());
    stream.on('error', (error) => this.fail(this.#faultOfEnd(), error));
    stream.on('close', () => this.fail(this.#faultOfEnd(), new Error(`the stream was closed: ${stream.rstCode}`)));
    if (Buffer.isBuffer(body)) stream.end(body);
    else if (body !== null) void this.#send(stream, body);
    return stream;
  }

  #receiveInterim(headers: IncomingHttpHeaders, raw: readonly string[]): void {
    if (this.#isOver) return;
    this.#interims += 1;
    if (this.#interims > mostInterims) return this.fail('invalid', new Error('interim responses without end'));
    this.#listener.onInterim(Number(headers[':status']), withoutPseudoHeaders(raw));
  }

  #receiveHead(headers: IncomingHttpHeaders, flags: number, raw: readonly string[]): void {
    if (this.#isOver) return;
    this.#hasHead = true;
    const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    this.#listener.onHead(Number(headers[':status']), '', withoutPseudoHeaders(raw), isWhole);
    if (!isWhole) setImmediate(() => this.#tellHeadAlone());
  }

  #tellHeadAlone(): void {
    if (!this.#hasData && !this.#isOver) this.#listener.onHeadAlone();
  }

  #end(): void {
    // Node also ends what was reset; that is told when the stream closes.
    if (this.#isOver || !this.#hasHead || this.#stream?.rstCode !== constants.NGHTTP2_NO_ERROR) return;
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

  /** A stream that the endpoint has not looked at is safe to send again, if the request can be. */
  #faultOfEnd(): UpstreamFault {
    if (this.#hasHead) return 'invalid';
    const { body } = this.#request;
    const isWhole = body === null || Buffer.isBuffer(body);
    return isWhole && this.#stream?.rstCode === constants.NGHTTP2_REFUSED_STREAM ? 'connect' : 'closed';
  }
}

/** A connection over which nothing was sent yet. Rejects with the fault in `code`. */
async function openSocket(target: ResolvedTarget, request: UpstreamRequest): Promise<Duplex> {
  const { tls, connectTimeoutMs: timeoutMs } = request;
  const { host, port } = target;
  if (tls !== undefined) {
    const peer = { host, port, serverName: serverNameOf(request.headers[1] ?? ''), timeoutMs, protocol: 'h2' } as const;
    return new Promise((resolve, reject) => {
      connectTls(peer, tls, (error, socket) => {
        if (socket === null) reject(error ?? new Error('no connection'));
        else resolve(socket);
      });
    });
  }
  const socket = connect({ host, port, noDelay: true, autoSelectFamily: true });
  const late = Object.assign(new Error('connecting took too long'), { code: connectTimeoutCode });
  const timer = setTimeout(() => socket.destroy(late), timeoutMs);
  try {
    await once(socket, 'connect');
    return socket;
  } finally {
    clearTimeout(timer);
  }
}

/** What a client sent twice goes on twice; Node's types do not know that option yet. */
const sessionOptions = (socket: Duplex): ClientSessionOptions => {
  const options = {
    createConnection: () => socket,
    strictSingleValueFields: false,
    // Nobody would read what is pushed: whoever pushes anyway has its connection ended (RFC 9113 section 8.4).
    settings: { enablePush: false },
  };
  return options;
};

function openLine(
  target: ResolvedTarget,
  request: UpstreamRequest,
  settings: PoolSettings,
  forget: (line: Line) => void,
): Line {
  const open = async (): Promise<ClientHttp2Session> => {
    const socket = await openSocket(target, request);
    const session = connectHttp2('http://upstream', sessionOptions(socket));
    line.opened = session;
    const retire = (): void => {
      line.isClosing = true;
      forget(line);
    };
    session.on('remoteSettings', ({ maxConcurrentStreams }) => (line.capacity = maxConcurrentStreams ?? Infinity));
    session.on('goaway', retire);
    session.on('close', retire);
    session.on('error', () => session.destroy()); // each of its streams tells its own listener
    session.setTimeout(settings.idleTimeoutMs, () => {
      if (line.streams === 0) session.close();
    });
    return session;
  };
  const line: Line = { session: open(), opened: undefined, streams: 0, capacity: streamsUntilTold, isClosing: false };
  line.session.catch(() => {
    line.isClosing = true;
    forget(line);
  });
  return line;
}

/** A session that breaks tells its streams before it tells that it has closed: they would be sent on it again. */
const hasRoom = ({ isClosing, opened, streams, capacity }: Line): boolean =>
  !isClosing && opened?.closed !== true && opened?.destroyed !== true && streams < capacity;

const connectFault = ({ code }: NodeJS.ErrnoException): UpstreamFault =>
  code === connectTimeoutCode ? 'connect-timeout' : 'connect';

async function run(line: Line, exchange: Http2Exchange): Promise<void> {
  let session: ClientHttp2Session;
  try {
    session = await line.session;
  } catch (error) {
    return exchange.fail(connectFault(error as Error), error as Error);
  }
  // It may have ended since, and nothing has been sent.
  if (session.closed || session.destroyed) return exchange.fail('connect', new Error('the connection has ended'));
  const stream = exchange.start(session);
  if (stream !== undefined && !stream.closed)
    await new Promise<void>((resolve) => stream.once('close', () => resolve()));
}

/** Closes a connection once what is under way on it has ended. */
function closeLine(line: Line): void {
  line.isClosing = true;
  void line.session.then(
    (session) => session.close(),
    () => undefined, // it never opened: whoever waited for it was told
  );
}

/** Requests over HTTP/2, with and without TLS: many at once on few connections (RFC 9113). */
export function http2Upstream(settings: PoolSettings): UpstreamClient {
  const origins = new Map<string, Origin>();

  const lineTo = (target: ResolvedTarget, request: UpstreamRequest): Line => {
    const name = originOf(target, request.tls);
    const key = `${target.host} ${request.connectTimeoutMs} ${name}`;
    let origin = origins.get(key);
    if (origin === undefined) origins.set(key, (origin = { name, lines: new Set() }));
    const { lines } = origin;
    for (const line of lines) if (hasRoom(line)) return line;
    const line = openLine(target, request, settings, (gone) => lines.delete(gone));
    lines.add(line);
    return line;
  };

  return {
    send(target: ResolvedTarget, request, listener) {
      const exchange = new Http2Exchange(request, listener);
      const line = lineTo(target, request);
      line.streams += 1;
      run(line, exchange)
        .catch((error: unknown) => exchange.fail('invalid', error as Error))
        .finally(() => (line.streams -= 1));
      return exchange;
    },

    retain(services) {
      const kept = originsOf(services);
      for (const [key, { name, lines }] of origins) {
        if (kept.has(name)) continue;
        origins.delete(key);
        for (const line of lines) closeLine(line);
      }
    },

    stats() {
      const lines = [...origins.values()].flatMap((origin) => [...origin.lines]);
      const active = lines.filter(({ streams }) => streams > 0).length;
      return { active, idle: lines.length - active };
    },

    async close() {
      for (const { lines } of origins.values()) for (const line of lines) closeLine(line);
      origins.clear();
    },
  };
}
