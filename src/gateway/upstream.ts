import type { Target } from '#table/service-entry.ts';

/** A request as it goes out. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Flat list of names and values, without framing but for Content-Length. */
  readonly headers: readonly string[];
  readonly body: Buffer | AsyncIterable<Buffer> | null;
  readonly connectTimeoutMs: number;
  /** Longest silence of the upstream, before and in its response. */
  readonly readTimeoutMs: number;
}

/**
 * Why an exchange with an upstream failed. `connect`: nothing was sent, so that another target may be
 * tried whatever the request; `closed`: the connection ended before a response began.
 */
export type UpstreamFault = 'connect' | 'closed' | 'timeout' | 'invalid';

/** Told of the response as it comes. After `onEnd` or `onFault` nothing more comes. */
export interface ResponseListener {
  /** @param headers flat list of names and values as they came */
  onHead(status: number, statusText: string, headers: readonly string[]): void;
  /** Gives false to pause; `resume` of the exchange goes on. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  onFault(fault: UpstreamFault, error: Error): void;
}

/** A request that is under way. */
export interface UpstreamExchange {
  /** Gives the exchange up; the listener hears no more of it. */
  abort(): void;
  resume(): void;
}

/** Sends requests to targets over connections that it keeps. One small interface, so that a leaner client can take its place. */
export interface UpstreamClient {
  send(target: Target, request: UpstreamRequest, listener: ResponseListener): UpstreamExchange;
  /** Lets go of connections to all other targets, once their requests are done. */
  retain(targets: readonly Target[]): void;
  /** Closes everything once what is under way is done. */
  close(): Promise<void>;
}
