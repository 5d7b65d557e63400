import type { IncomingHttpHeaders } from 'node:http';
import type { RequestTraits } from './route-conditions.ts';

/** What the gateway asks of a client's request: Node's own over HTTP/1.1, `Http2Request` over HTTP/2. */
export interface RequestMessage extends RequestTraits {
  readonly url?: string | undefined;
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  /** Flat list of names and values as they came; over HTTP/2 with the authority as `host`. */
  readonly rawHeaders: readonly string[];
  /** Whether a body follows, where no header need tell (HTTP/2). */
  readonly isFollowedByBody?: boolean;
  /** Flat list of what came behind the body, once that has ended. */
  readonly rawTrailers: readonly string[];
  readonly complete: boolean;
  readonly destroyed: boolean;
  readonly socket: RequestTraits['socket'] & { readonly remoteAddress?: string | undefined };
  iterator(options: { readonly destroyOnReturn: boolean }): AsyncIterable<unknown>;
  /** Told of a call whose body has no time to be whole in (HTTP/2). */
  mayLast?(): void;
}

/** What it asks of the response to it. */
export interface ResponseMessage {
  /** Null while answers to requests before it have to leave first (HTTP/1.1). */
  readonly socket?: object | null;
  /** The request whose connection ends with a last answer (HTTP/1.1). */
  readonly req?: {
    readonly socket: object;
    readonly complete: boolean;
    once(event: 'end', listener: () => void): unknown;
    resume(): unknown;
  };
  readonly headersSent: boolean;
  /** Whether another request may follow on the connection (HTTP/1.1). */
  shouldKeepAlive?: boolean;
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  /** Whether all that is written in one turn of the event loop leaves together as it is (HTTP/2). */
  readonly gathersWrites?: boolean;
  writeContinue(): void;
  /** An interim response before the head. */
  writeInformation(status: number, headers: string[]): unknown;
  /** Told before the head, over HTTP/2: the message ends with its head, or with trailers. */
  expectEnd?(end: 'head' | 'trailers'): void;
  /** What is sent behind the body; told before its end. */
  addTrailers(trailers: [name: string, value: string][]): void;
  /** @param headers flat list of names and values; what is for a connection of HTTP/1.1 alone is left out elsewhere */
  writeHead(status: number, statusText: string, headers: string[]): unknown;
  /** Sends a head that Node still holds for the first part of the body. */
  flushHeaders(): void;
  /** Gives false when it should pause until `drain`. @param onWritten called, over HTTP/1.1, once the chunk is no longer needed */
  write(chunk: Buffer, onWritten?: () => void): boolean;
  end(chunk?: Buffer, onWritten?: () => void): unknown;
  end(text: string, encoding: 'latin1' | 'utf8'): unknown;
  destroy(error?: Error): unknown;
  once(event: 'close' | 'drain', listener: () => void): unknown;
}
