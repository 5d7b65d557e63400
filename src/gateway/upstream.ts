import type { KeptBody } from './kept-body.ts';
import type { ServiceEntry, Target, UpstreamTls } from '#table/service-entry.ts';

/** A request as it goes out. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Flat list of names and values, without framing but for Content-Length. */
  readonly headers: readonly string[];
  readonly body: Buffer | AsyncIterable<Buffer> | null;
  /** What a streamed body can be had from again, over HTTP/2. */
  readonly kept?: KeptBody | undefined;
  /** Flat list of the fields behind the body, asked for once it has ended; absent where none can follow. */
  readonly trailers?: (() => readonly string[]) | undefined;
  /** Over TLS in this way; without it when absent. */
  readonly tls?: UpstreamTls | undefined;
  /** Over HTTP/2 instead of HTTP/1.1. */
  readonly isHttp2?: true | undefined;
  readonly connectTimeoutMs: number;
  /** Longest time that a part of the body may take to be sent. */
  readonly writeTimeoutMs: number;
  /** Longest silence of the upstream, before and in its response. */
  readonly readTimeoutMs: number;
}

/**
 * Why an exchange with an upstream failed. `connect` and `connect-timeout`: nothing was sent, so that another
 * target may be tried whatever the request; `refused`: the endpoint said that it has not looked at it, and its body is
 * still there; `closed`: the connection ended before a response began; `name`: the name of the target leads nowhere.
 */
export type UpstreamFault = 'connect' | 'connect-timeout' | 'refused' | 'closed' | 'timeout' | 'invalid' | 'name';

/** Interim responses to one request (RFC 9110 section 15.2); each would keep a timeout from ending the wait. */
export const mostInterims = 32;

/** Told of the response as it comes. After `onEnd` or `onFault` nothing more comes. */
export interface ResponseListener {
  /** An interim response came, at most `mostInterims` of them before the head. */
  onInterim(status: number, headers: readonly string[]): void;
  /**
   * @param headers flat list of names and values as they came
   * @param isWhole whether the head is all there is, over HTTP/2
   */
  onHead(status: number, statusText: string, headers: readonly string[], isWhole?: boolean): void;
  /** The head has come alone: whoever waits for it should not wait for the body as well. */
  onHeadAlone(): void;
  /** The bytes are the listener's during the call alone. Gives false to pause; `resume` of the exchange goes on. */
  onData(chunk: Buffer): boolean;
  /** @param trailers flat list of names and values, if any came */
  onEnd(trailers?: readonly string[]): void;
  onFault(fault: UpstreamFault, error: Error): void;
}

/** A request that is under way. */
export interface UpstreamExchange {
  /** Gives the exchange up; the listener hears no more of it. */
  abort(): void;
  resume(): void;
}

/** Connections to upstreams. */
interface ConnectionStats {
  readonly active: number;
  readonly idle: number;
}

/** Sends requests to targets over connections that it keeps. One small interface, so that a leaner client can take its place. */
export interface UpstreamClient {
  send(target: Target, request: UpstreamRequest, listener: ResponseListener): UpstreamExchange;
  /** Lets go of connections that none of these services would use, once their requests are done. */
  retain(services: readonly ServiceEntry[]): void;
  /** How many connections are in use, and how many are kept for later. */
  stats(): ConnectionStats;
  /** Closes everything once what is under way is done. */
  close(): Promise<void>;
}

/** A target as it is connected to: with the address that its name led to. */
export interface ResolvedTarget extends Target {
  /** The name, where the target has one. */
  readonly name?: string;
}

/** What connections are kept by: those of one origin are never used for another. */
export function originOf(target: ResolvedTarget, tls: UpstreamTls | undefined): string {
  return `${target.name ?? target.host} ${target.port} ${tls?.id ?? ''}`;
}

/** The origins of services. */
export function originsOf(services: readonly ServiceEntry[]): Set<string> {
  return new Set(services.flatMap(({ targets, tls }) => targets.map((target) => originOf(target, tls))));
}
