import type { Alpn, FrameAct, FrameConnection, FrameScript } from '../../support/frame-upstream.ts';
import { head, lastData } from '../../support/frame-upstream.ts';
import { frame, word } from '../../support/http2-frames.ts';

/**
 * What an upstream does wrong over HTTP/2, and what comes of it. Another stream is open beside it, unless it is about how
 * connections begin.
 */
export interface FaultRow extends Pick<FrameScript, 'onConnection' | 'onHead' | 'onRequest'> {
  readonly name: string;
  /** Over TLS, where this is what the upstream speaks. */
  readonly alpn?: Alpn;
  /** What the client sends; GET without a body when absent. */
  readonly ask?: { readonly method: string; readonly body?: string };
  /** Annotations of the Service. */
  readonly service?: Readonly<Record<string, string>>;
  /**
   * Further ones, of time, that are in force for this request alone, unless it is lasting: on a busy machine what is
   * around it takes longer.
   */
  readonly limits?: Readonly<Record<string, string>>;
  /** Annotations of the Ingress. */
  readonly route?: Readonly<Record<string, string>>;
  /** Status and body of the upstream's answer, the status alone of ours, or `cut` for what breaks off. */
  readonly gets: string;
  /** Requests that the upstream saw for it. */
  readonly asked: number;
  /** Connections that were opened for it; none but the one that was there when absent. */
  readonly opened?: number;
  /** The gateway closes the first connection, before another request comes. */
  readonly isGivenUp?: true;
  /** Whether the next request gets the same. */
  readonly isLasting?: true;
  /** What becomes of a stream that is open on the same connection; it ends as it should when absent. */
  readonly beside?: 'cut';
}

/** By their numbers (RFC 9113 section 7). */
const codes = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  STREAM_CLOSED: 5,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  ENHANCE_YOUR_CALM: 11,
  HTTP_1_1_REQUIRED: 13,
} as const;
export type Code = keyof typeof codes;

export const reset = (stream: number, code: Code): Buffer => frame('RST_STREAM', { stream }, word(codes[code]));

export const goodbye = (lastStream: number, code: Code = 'NO_ERROR'): Buffer =>
  frame('GOAWAY', {}, Buffer.concat([word(lastStream), word(codes[code])]));

export const part = (stream: number, text: string): Buffer => frame('DATA', { stream }, text);

/** Sends these frames. */
export const sends =
  (framesFor: (stream: number) => readonly Buffer[]): FrameAct =>
  ({ send }, stream) =>
    send(...framesFor(stream));

/** An answer with this head. */
export const withHead = (fields: readonly (readonly [string, string])[]): FrameAct =>
  sends((stream) => [head(stream, fields), lastData(stream)]);

/** An answer with the body that came. */
export const echo: FrameAct = ({ seen, send }, stream) => {
  const parts = seen.filter((one) => one.type === 'DATA' && one.stream === stream).map(({ payload }) => payload);
  send(head(stream), lastData(stream, Buffer.concat(parts).toString()));
};

export const closes = ({ socket }: FrameConnection): void => void socket.destroy();

/** As often as a request may be sent at all: once, and five times again. */
export const always = <T>(act: T): T[] => Array.from({ length: 6 }, () => act);
