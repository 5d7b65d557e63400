import { connect, type Socket } from 'node:net';
import { ResponseParser, ResponseSyntaxError, type ResponseEvents } from './response-parser.ts';
import type { PoolSettings } from './proxy-settings.ts';
import { writeAtTurnEnd } from './turn-end.ts';
import {
  originOf,
  originsOf,
  type ResolvedTarget,
  type ResponseListener,
  type UpstreamClient,
  type UpstreamExchange,
  type UpstreamFault,
  type UpstreamRequest,
} from './upstream.ts';

/** What may stand in a request line; llhttp has checked what the client sent, this checks what we made of it. */
const requestTarget = /^[\x21-\x7e\x80-\xff]+$/;

/**
 * Where all connections read to: Node would allocate as much for each read. What is read is looked at before
 * the next read begins; who keeps some of it makes a copy.
 */
const received = Buffer.allocUnsafeSlow(64 * 1024);

/** The connections to one target. */
interface Origin {
  readonly idle: Connection[];
  active: number;
  readonly settings: PoolSettings;
  /** No service has the target any more: connections end with their request. */
  isRetired: boolean;
}

function statesLength(headers: readonly string[]): boolean {
  return headers.some((name, i) => i % 2 === 0 && name.length === 14 && name.toLowerCase() === 'content-length');
}

function headText(request: UpstreamRequest): string {
  if (!requestTarget.test(request.path))
    throw new ResponseSyntaxError('the path has a character that no request may have');
  let text = `${request.method} ${request.path} HTTP/1.1\r\n`;
  const { headers } = request;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  // A body that came in chunks and was read whole has no length of its own: without one it would be the next request.
  if (Buffer.isBuffer(request.body) && !statesLength(headers)) {
    text += `Content-Length: ${request.body.byteLength}\r\n`;
  }
  return `${text}Connection: keep-alive\r\n\r\n`;
}

/** One connection, one request at a time on it. */
class Connection implements ResponseEvents, UpstreamExchange {
  readonly #origin: Origin;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser(this);
  #listener: ResponseListener | undefined = undefined;
  #connectTimer: NodeJS.Timeout | undefined;
  #timeoutMs = 0;
  #isConnected = false;
  #requests = 0;
  /** Whether nothing of the body has come with the head. */
  #isHeadAlone = false;

  constructor(target: ResolvedTarget, origin: Origin, connectTimeoutMs: number) {
    this.#origin = origin;
    const callback = (bytes: number): boolean => {
      this.#receive(received.subarray(0, bytes));
      return true;
    };
    const { host, port } = target;
    const onread = { buffer: received, callback };
    this.#socket = connect({ host, port, noDelay: true, autoSelectFamily: true, onread });
    this.#connectTimer = setTimeout(
      () => this.#fail('connect-timeout', new Error('connecting took too long')),
      connectTimeoutMs,
    );
    this.#socket.once('connect', () => {
      this.#isConnected = true;
      clearTimeout(this.#connectTimer);
    });
    this.#socket.on('timeout', () => this.#fail('timeout', new Error('the upstream is silent')));
    this.#socket.on('error', (error) => this.#fail(this.#faultOfEnd(), error));
    this.#socket.on('end', () => this.#finish());
    this.#socket.on('close', () => this.#fail(this.#faultOfEnd(), new Error('the upstream closed the connection')));
  }

  get isUsable(): boolean {
    return !this.#socket.destroyed && this.#socket.writable && !this.#socket.readableEnded;
  }

  send(request: UpstreamRequest, head: string, listener: ResponseListener): void {
    this.#listener = listener;
    this.#requests += 1;
    this.#parser.expect(request.method === 'HEAD');
    if (request.body === null) {
      this.#setTimeout(request.readTimeoutMs);
      writeAtTurnEnd(() => {
        if (this.#listener === listener) this.#socket.write(head, 'latin1');
      });
    } else {
      this.#setTimeout(request.writeTimeoutMs);
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(request.body as Buffer, () => {
        if (this.#listener === listener) this.#setTimeout(request.readTimeoutMs);
      });
      this.#socket.uncork();
    }
  }

  abort(): void {
    this.#release();
    this.#socket.destroy();
  }

  resume(): void {
    this.#socket.resume();
  }

  onHead(status: number, statusText: string, headers: readonly string[]): void {
    this.#isHeadAlone = true;
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
    if (isReusable && this.#isKept()) {
      this.#setTimeout(this.#origin.settings.idleTimeoutMs);
      this.#origin.idle.push(this);
    } else {
      this.#socket.destroy();
    }
    listener?.onEnd(trailers);
  }

  /** Whether it may wait for another request. */
  #isKept(): boolean {
    const { isRetired, idle, settings } = this.#origin;
    return !isRetired && this.#requests < settings.maxRequests && idle.length < settings.size && this.isUsable;
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

/**
 * Requests whose body is at hand (or absent) over plain HTTP/1.1, on connections of our own: half the cost
 * of undici. It is strict, keeps no request waiting, and gives up whatever it does not understand.
 */
export function http1Upstream(settings: PoolSettings): UpstreamClient {
  const origins = new Map<string, Origin>();

  const originFor = (target: ResolvedTarget): Origin => {
    const key = `${target.host} ${originOf(target, undefined)}`;
    let found = origins.get(key);
    if (found === undefined) origins.set(key, (found = { idle: [], active: 0, isRetired: false, settings }));
    return found;
  };

  const retire = (origin: Origin): void => {
    origin.isRetired = true;
    for (const connection of origin.idle.splice(0)) connection.closeIdle();
  };

  const connectionTo = (target: ResolvedTarget, connectTimeoutMs: number): Connection => {
    const origin = originFor(target);
    origin.active += 1;
    // The one used last is the least likely to be closed by the other side.
    for (let last = origin.idle.pop(); last !== undefined; last = origin.idle.pop()) if (last.isUsable) return last;
    return new Connection(target, origin, connectTimeoutMs);
  };

  return {
    send(target, request, listener) {
      const head = headText(request);
      const connection = connectionTo(target, request.connectTimeoutMs);
      connection.send(request, head, listener);
      return connection;
    },

    retain(services) {
      const kept = originsOf(services);
      for (const [key, origin] of origins) {
        if (kept.has(key.slice(key.indexOf(' ') + 1))) continue;
        origins.delete(key);
        retire(origin);
      }
    },

    stats() {
      let [active, idle] = [0, 0];
      for (const origin of origins.values()) {
        active += origin.active;
        idle += origin.idle.length;
      }
      return { active, idle };
    },

    async close() {
      for (const origin of origins.values()) retire(origin);
      origins.clear();
    },
  };
}
