import { connect, type Socket } from 'node:net';
import { lowerName } from './header-name.ts';
import { writeParts, writeWhole } from './http1-outgoing.ts';
import type { PoolSettings } from './proxy-settings.ts';
import { ResponseParser, type ResponseEvents } from './response-parser.ts';
import { writeAtTurnEnd } from './turn-end.ts';
import type { ResolvedTarget, ResponseListener, UpstreamExchange, UpstreamFault, UpstreamRequest } from './upstream.ts';

/**
 * Where all connections without TLS read to: Node would allocate as much for each read. What is read is looked at
 * before the next read begins; who keeps some of it makes a copy. A body of 64 KiB comes in one piece with its head.
 */
const received = Buffer.allocUnsafeSlow(128 * 1024);

const timeoutParameter = /(?:^|[,;\t ])timeout=(\d{1,9})/i;

/**
 * How long a connection may wait for its next request after this answer. What its Keep-Alive says is followed but for
 * the last second, in which the upstream may close it while a request is on its way.
 */
function idleMs(headers: readonly string[], { idleTimeoutMs }: PoolSettings): number {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name.length !== 10 || lowerName(name) !== 'keep-alive') continue;
    const seconds = timeoutParameter.exec(headers[i + 1] ?? '')?.[1];
    if (seconds !== undefined) return Math.min(idleTimeoutMs, (Number(seconds) - 1) * 1_000);
  }
  return idleTimeoutMs;
}

/**
 * A connection beyond the pool's size may wait so long. Under a load of more requests at a time than that, answers come
 * many in one turn of the event loop: their connections are free, and wanted again, before the turn is over.
 */
const surplusMs = 1_000;

/** The connections to one target. */
export interface Origin {
  /** The last one is taken first, so that those beyond the pool's size lie idle only where nobody needs them. */
  readonly idle: Connection[];
  active: number;
  readonly settings: PoolSettings;
  /** No service has the target any more: connections end with their request. */
  isRetired: boolean;
}

/** One connection, one request at a time on it. */
export class Connection implements ResponseEvents, UpstreamExchange {
  /** The name that it was verified for; '' without TLS. */
  readonly serverName: string;
  readonly #origin: Origin;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser(this);
  #listener: ResponseListener | undefined = undefined;
  #connectTimer: NodeJS.Timeout | undefined;
  #timeoutMs = 0;
  #isConnected = true;
  /** Whether some of a request may not have been sent yet: what follows it would be taken for its rest. */
  #isSending = false;
  #requests = 0;
  /** See `idleMs`; 0 or less if it may not wait at all. */
  #idleMs = 0;
  /** Whether nothing of the body has come with the head. */
  #isHeadAlone = false;

  /** @param socket that is connected already, or has its own way to tell what it receives */
  constructor(socket: Socket, origin: Origin, serverName: string) {
    this.serverName = serverName;
    this.#origin = origin;
    this.#socket = socket;
    socket.on('timeout', () => this.#fail('timeout', new Error('the upstream is silent')));
    socket.on('error', (error) => this.#fail(this.#faultOfEnd(), error));
    socket.on('end', () => this.#finish());
    socket.on('close', () => this.#fail(this.#faultOfEnd(), new Error('the upstream closed the connection')));
  }

  /** A connection without TLS. What is sent on it before it is there waits. */
  static open({ host, port }: ResolvedTarget, origin: Origin, connectTimeoutMs: number): Connection {
    const callback = (bytes: number): boolean => {
      connection.#receive(received.subarray(0, bytes));
      return true;
    };
    const onread = { buffer: received, callback };
    const socket = connect({ host, port, noDelay: true, autoSelectFamily: true, onread });
    const connection = new Connection(socket, origin, '');
    connection.#awaitConnect(connectTimeoutMs);
    return connection;
  }

  /** A connection over TLS that has been verified. */
  static over(socket: Socket, origin: Origin, serverName: string): Connection {
    const connection = new Connection(socket, origin, serverName);
    socket.on('data', (chunk: Buffer) => connection.#receive(chunk));
    return connection;
  }

  #awaitConnect(timeoutMs: number): void {
    this.#isConnected = false;
    this.#connectTimer = setTimeout(
      () => this.#fail('connect-timeout', new Error('connecting took too long')),
      timeoutMs,
    );
    this.#socket.once('connect', () => {
      this.#isConnected = true;
      clearTimeout(this.#connectTimer);
    });
  }

  get isUsable(): boolean {
    return !this.#socket.destroyed && this.#socket.writable && !this.#socket.readableEnded;
  }

  send(request: UpstreamRequest, head: string, listener: ResponseListener): void {
    this.#listener = listener;
    this.#requests += 1;
    this.#parser.expect(request.method === 'HEAD');
    if (request.body !== null) return this.#sendBody(request, head, listener);
    this.#setTimeout(request.readTimeoutMs);
    writeAtTurnEnd(() => {
      if (this.#listener === listener) this.#socket.write(head, 'latin1');
    });
  }

  #sendBody(request: UpstreamRequest, head: string, listener: ResponseListener): void {
    this.#isSending = true;
    const isWanted = (): boolean => this.#listener === listener;
    const onSent = (): void => {
      if (!isWanted()) return;
      this.#isSending = false;
      this.#setTimeout(request.readTimeoutMs);
    };
    if (Buffer.isBuffer(request.body)) {
      this.#setTimeout(request.writeTimeoutMs);
      return writeWhole(this.#socket, head, request, onSent);
    }
    // The time that the client takes for its parts does not count.
    this.#setTimeout(0);
    const onLate = (): void => this.#fail('timeout', new Error('sending took too long'));
    writeParts(this.#socket, head, request, { isWanted, onLate }).then(onSent, (error: unknown) => {
      if (isWanted()) this.#fail('closed', error as Error);
    });
  }

  abort(): void {
    this.#release();
    this.#socket.destroy();
  }

  resume(): void {
    this.#socket.resume();
  }

  onInterim(status: number, headers: readonly string[]): void {
    this.#listener?.onInterim(status, headers);
  }

  onHead(status: number, statusText: string, headers: readonly string[]): void {
    this.#isHeadAlone = true;
    this.#idleMs = idleMs(headers, this.#origin.settings);
    this.#listener?.onHead(status, statusText, headers);
  }

  onData(chunk: Buffer): void {
    this.#isHeadAlone = false;
    if (this.#listener?.onData(chunk) === false) this.#socket.pause();
  }

  onEnd(isReusable: boolean, trailers?: readonly string[]): void {
    this.#isHeadAlone = false;
    const listener = this.#release();
    this.#socket.resume();
    if (isReusable && !this.#isSending && this.#isKept()) {
      const { idle, settings } = this.#origin;
      this.#setTimeout(idle.length < settings.size ? this.#idleMs : Math.min(this.#idleMs, surplusMs));
      idle.push(this);
    } else {
      this.#socket.destroy();
    }
    listener?.onEnd(trailers);
  }

  /** Whether it may wait for another request. */
  #isKept(): boolean {
    const { isRetired, settings } = this.#origin;
    if (isRetired || this.#idleMs <= 0) return false;
    return this.#requests < settings.maxRequests && settings.size > 0 && this.isUsable;
  }

  /** Closes a connection that nothing is under way on. */
  closeIdle(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    try {
      this.#parser.feed(chunk);
      if (!this.#isHeadAlone) return;
      this.#isHeadAlone = false;
      this.#listener?.onHeadAlone();
    } catch (error) {
      // Also bytes that nobody asked for: the connection could answer the next request with them.
      this.#fail('invalid', error as Error);
    }
  }

  #finish(): void {
    if (!this.#parser.finish()) this.#fail(this.#faultOfEnd(), new Error('the upstream ended the connection'));
  }

  /** A connection that ends without a byte of the response was most likely closed as it was used again. */
  #faultOfEnd(): UpstreamFault {
    if (!this.#isConnected) return 'connect';
    return this.#parser.hasBegun ? 'invalid' : 'closed';
  }

  #fail(fault: UpstreamFault, error: Error): void {
    clearTimeout(this.#connectTimer);
    const { idle } = this.#origin;
    const at = idle.indexOf(this);
    if (at !== -1) idle.splice(at, 1);
    const listener = this.#release();
    this.#socket.destroy();
    listener?.onFault(fault, error);
  }

  /** Ends the exchange that is under way and gives who is to be told. */
  #release(): ResponseListener | undefined {
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener !== undefined) this.#origin.active -= 1;
    return listener;
  }

  #setTimeout(timeoutMs: number): void {
    if (timeoutMs === this.#timeoutMs) return;
    this.#timeoutMs = timeoutMs;
    this.#socket.setTimeout(timeoutMs);
  }
}
