import type { Socket } from 'node:net';
import type { Act, UpstreamScript } from '../../support/scripted-upstream.ts';

/** What an upstream does wrong, and what comes of it. */
export interface FaultRow extends UpstreamScript {
  readonly name: string;
  /** What the client sends; GET without a body when absent. */
  readonly ask?: { readonly method: string; readonly body?: string; readonly isSlow?: true };
  /** Requests that are answered as they should before. */
  readonly before?: number;
  /** Annotations of the Service. */
  readonly service?: Readonly<Record<string, string>>;
  /** Further ones, of time, in force for this request alone: what is around it takes longer on a busy machine. */
  readonly limits?: Readonly<Record<string, string>>;
  /** What the upstream sends behind its answer once the client has the head of it. */
  readonly onceHeadIsOut?: Act;
  /** Nobody listens at the endpoint at first. */
  readonly isDown?: true;
  /** Status and body of the upstream's answer, the status alone of ours, or `cut` for what breaks off. */
  readonly gets: string;
  /** Whole requests that the upstream saw for it. */
  readonly asked: number;
  /** Connections that it came by, those kept from before not counted; as many as were asked when absent. */
  readonly connections?: number;
  /** Whether the next request comes by a connection that was there. */
  readonly pool: 'kept' | 'fresh';
  /** What becomes of the client's connection; kept when absent, closed when what it got was cut. */
  readonly client?: 'closed';
}

/** An answer of the upstream, with the framing that belongs to its body unless another is stated. */
export const answer = (body: string, head = `Content-Length: ${body.length}`): string =>
  `HTTP/1.1 200 OK\r\n${head}\r\n\r\n${body}`;

export const chunked = (body: string): string => answer(body, 'Transfer-Encoding: chunked');

export const close: Act = (socket) => socket.destroy();
export const reset: Act = (socket) => socket.resetAndDestroy();
export const silence: Act = () => undefined;

export const thenClose =
  (bytes: string): Act =>
  (socket) =>
    socket.end(bytes, 'latin1');

export const thenReset =
  (bytes: string): Act =>
  (socket) =>
    socket.write(bytes, 'latin1', () => socket.resetAndDestroy());

/** Sends piece by piece, each in a turn of its own. */
export const inPieces =
  (...pieces: readonly string[]): Act =>
  (socket: Socket) => {
    const sendFrom = (at: number): void => {
      const piece = pieces[at];
      if (piece === undefined || socket.destroyed) return;
      socket.write(piece, 'latin1', () => setImmediate(sendFrom, at + 1));
    };
    sendFrom(0);
  };

export const byteByByte = (bytes: string): Act => inPieces(...bytes.split(''));

/** As often as a request may be sent at all: once, and five times again. */
export const always = (act: Act): Act[] => Array.from({ length: 6 }, () => act);
/** Answers as it should so often, then this. */
export const after = (count: number, act: Act): (Act | undefined)[] => [
  ...Array.from({ length: count }, () => undefined),
  act,
];
