import type { Socket } from 'node:net';
import { lingerMs } from './linger.ts';
import { closeFrame, FrameTrack, maskedCloseFrame, type Boundary, type CloseReason } from './websocket-frames.ts';

/** The two connections of a tunnel, and who hears of it. */
export interface TunnelParts {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Longest silence of both; Kong's `read_timeout`, which nginx counts from whatever came last, from either side. */
  readonly readTimeoutMs: number;
  /** Told of the bytes that went to the upstream, and to the client. */
  moved(ingressBytes: number, egressBytes: number): void;
}

/** A frame that is under way has this long to come to its end where its WebSocket may not go on. */
const frameMs = 1_000;

const goingAway: CloseReason = { code: 1001, text: 'the gateway is going away' };
const silent: CloseReason = { code: 1001, text: 'nothing was said for too long' };

/** Ends that have no more than a moment left. */
const ending = new WeakSet<Socket>();

/**
 * Ends our side of a connection once all that was written has left, and lets the other end its own. What it still says
 * has nowhere to go, but unread it would keep it from reading our last (RFC 9112 section 9.6). Once is enough, however
 * many reasons there are.
 */
export function endGently(end: Socket): void {
  if (ending.has(end)) return;
  ending.add(end);
  end.end(() => {
    end.resume();
    const timer = setTimeout(() => end.destroy(), lingerMs);
    end.once('close', () => clearTimeout(timer));
  });
}

/**
 * Two connections that have been joined: what one says goes to the other, no faster than that takes it, until one
 * ends. What it said before still reaches the other, however slowly that reads; then the other is ended too.
 *
 *   client ── sendUp ──▶ upstream        each way followed frame by frame, so that a Close of our own
 *   client ◀─ sendDown ── upstream       (RFC 6455 section 5.5.1) can be put between two
 *
 * A class, though nobody starts it: a worker has thousands, and methods are what they can share.
 */
export class Tunnel {
  readonly #parts: TunnelParts;
  readonly #up = new FrameTrack();
  readonly #down = new FrameTrack();
  /** Why the client is to be told to close, and where that may be said; until it has been. */
  #toTell: { readonly reason: CloseReason; readonly at: Boundary } | undefined = undefined;
  /** Whether the client has been told: nothing may follow. */
  #isTold = false;
  /** Whether the upstream gets nothing more. */
  #isUpClosed = false;
  /** Whether the gateway is going away. */
  #isLeaving = false;

  constructor(parts: TunnelParts) {
    this.#parts = parts;
    const { client, upstream, readTimeoutMs } = parts;
    // Those of Node's server and client, which know of requests alone.
    for (const end of [client, upstream]) end.removeAllListeners('timeout');
    upstream.setTimeout(readTimeoutMs);
    upstream.on('timeout', () => this.#onSilence());
    client.on('timeout', () => (client.writableLength > 0 ? client.destroy() : this.close(silent)));
    client.on('data', (chunk: Buffer) => this.sendUp(chunk)).on('end', () => this.#endUpstream());
    upstream.on('data', (chunk: Buffer) => this.sendDown(chunk)).on('end', () => client.end());
    this.#follow(client, upstream);
    this.#follow(upstream, client);
  }

  /** Tells when both connections are closed. */
  onceClosed(tell: () => void): void {
    const { client, upstream } = this.#parts;
    const check = (): void => {
      if (client.closed && upstream.closed) tell();
    };
    client.once('close', check);
    upstream.once('close', check);
  }

  /** Passes on what the client said. */
  sendUp(chunk: Buffer): void {
    const { client, upstream, moved } = this.#parts;
    if (this.#isUpClosed || !upstream.writable) return;
    this.#up.follow(chunk);
    moved(chunk.byteLength, 0);
    if (!upstream.write(chunk)) client.pause();
    // It has answered our Close: a server ends the connection first (RFC 6455 section 7.1.1).
    if (this.#isTold && this.#up.hasClosed && this.#up.isAt('frame')) this.#finish(client);
  }

  /** Passes on what the upstream said. */
  sendDown(chunk: Buffer): void {
    const { client, upstream, moved } = this.#parts;
    if (this.#isTold || !client.writable) return;
    const length = this.#down.follow(chunk, this.#toTell?.at);
    moved(0, length);
    if (!client.write(length === chunk.byteLength ? chunk : chunk.subarray(0, length))) upstream.pause();
    this.#tellClient();
  }

  /**
   * The gateway is going away: the client gets a Close where no message is cut. What it says until it answers still goes
   * on, and its answer is what the upstream is told by.
   */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#tell(goingAway, 'message');
  }

  /** Ends both ways at once, each with a Close if no frame is under way; to the client the one that is may still come. */
  close(reason: CloseReason): void {
    const { client } = this.#parts;
    this.#closeUpstream(reason);
    this.#tell(reason, 'frame');
    if (this.#toTell === undefined) return this.#finish(client);
    const timer = setTimeout(() => client.destroy(), frameMs);
    client.once('close', () => clearTimeout(timer));
  }

  /** Waits for nobody any more. */
  cut(): void {
    const { client, upstream } = this.#parts;
    client.destroy();
    if (this.#isLeaving) this.#closeUpstream(goingAway);
    if (upstream.writableLength > 0) upstream.destroy();
    else upstream.destroySoon();
  }

  #follow(from: Socket, to: Socket): void {
    to.on('drain', () => from.resume());
    from.on('error', () => from.destroy());
    from.on('close', () => this.#finish(to));
  }

  #tell(reason: CloseReason, at: Boundary): void {
    if (this.#isTold || this.#down.hasClosed) return;
    this.#toTell = { reason, at };
    this.#tellClient();
  }

  #tellClient(): void {
    if (this.#toTell === undefined || !this.#down.isAt(this.#toTell.at)) return;
    const { client, upstream } = this.#parts;
    const { reason, at } = this.#toTell;
    this.#toTell = undefined;
    if (this.#down.hasClosed) return;
    this.#isTold = true;
    if (client.writable) client.write(closeFrame(reason));
    // It may wait for a client that takes nothing; now nothing of it is passed on.
    upstream.resume();
    if (at === 'frame') this.#finish(client);
  }

  /** The client ends: one that never answered our Close leaves it to us to tell the upstream. */
  #endUpstream(): void {
    if (this.#isLeaving) this.#closeUpstream(goingAway);
    else this.#parts.upstream.end();
  }

  #closeUpstream(reason: CloseReason): void {
    const { upstream } = this.#parts;
    const mayTell = upstream.writable && !this.#isUpClosed && !this.#up.hasClosed && this.#up.isAt('frame');
    this.#isUpClosed = true;
    if (mayTell) upstream.write(maskedCloseFrame(reason));
    this.#finish(upstream);
  }

  /** Lets an end have what is left for it, and close; one that takes nothing is not waited for. */
  #finish(end: Socket): void {
    if (end.destroyed) return;
    end.setTimeout(this.#parts.readTimeoutMs);
    endGently(end);
  }

  /** The upstream has neither said nor got anything: a client that still takes what there is for it is not silent. */
  #onSilence(): void {
    const { client, upstream, readTimeoutMs } = this.#parts;
    if (client.destroyed || upstream.writableEnded) upstream.destroy();
    else if (client.writableLength > 0) client.setTimeout(readTimeoutMs);
    else this.close(silent);
  }
}
