/**
 * Connections of HTTP/2, as they come from the listeners' sockets: over TLS by ALPN, without TLS by prior
 * knowledge (RFC 9113 section 3.3).
 *
 *   socket ─▶ session ─▶ each stream ─▶ serve
 *
 * Invariant: what one client does costs no other anything. nghttp2 and Node bound what a session may hold and how
 * fast it may reset streams (CVE-2023-44487); the bounds are below.
 */
import type { ServerHttp2Session, ServerHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { LiveLimits } from '#table/limits-entry.ts';
import { Http2Request, Http2Response, type Http2Peer } from './http2-exchange.ts';
import { wastedBurst, wastedPerSecond, watchHttp2, type Http2Refusals } from './http2-watch.ts';
import type { LimitsInForce } from './limits.ts';
import { lastWordMs } from './linger.ts';

export type Http2Serve = (request: Http2Request, response: Http2Response) => void;

/** Streams that a client may have open at once; what Envoy's guide for the edge advises. */
const maxConcurrentStreams = 100;
/**
 * What a stream may send of a body before any of it has gone on, and a connection before any of it was read (RFC 9113
 * section 6.9.1). With the 64 KiB of the protocol's own an upload over a way of 20 ms comes at 1.4 MB a second. Of a
 * hundred streams whose upstreams take nothing 25 MB are held.
 */
const streamWindow = 262_144;
const connectionWindow = 4 * streamWindow;
/**
 * A head that is somewhat too large is answered; one of more than so many times that is reset before anybody sees it.
 * A client may send heads that were packed small and are large: what is bounded is what they come to.
 */
const headScope = 4;
/** Megabytes that Node holds for a session. */
const maxSessionMemory = 10;

const sessionOptions = ({ headBytes, headerCount }: LiveLimits) => ({
  settings: {
    maxConcurrentStreams,
    initialWindowSize: streamWindow,
    maxHeaderListSize: headScope * headBytes,
    enablePush: false,
    enableConnectProtocol: false,
  },
  maxHeaderListPairs: headScope * headerCount,
  maxSessionMemory,
  // Whether a field may stand twice is for those to judge who read it.
  strictSingleValueFields: false,
  // Beyond that GOAWAY.
  streamResetBurst: wastedBurst,
  streamResetRate: wastedPerSecond,
});

function peerOf(socket: Socket): Http2Peer {
  const { remoteAddress } = socket;
  if (!('encrypted' in socket)) return { remoteAddress };
  return { remoteAddress, encrypted: true, servername: (socket as TLSSocket & { servername?: string }).servername };
}

/** A connection that came too late to be told with the others: it has one request, as each of HTTP/1.1 then has. */
function closeSoon(session: ServerHttp2Session): void {
  const close = (): void => session.close();
  session.once('stream', close);
  session.setTimeout(lastWordMs, close);
}

/** See the head of this file. Loaded when the first such client comes: HTTP/2 takes memory that many never need. */
export async function createHttp2Sessions(
  limits: Pick<LimitsInForce, 'now'>,
  serve: Http2Serve,
  refusals: Http2Refusals,
) {
  const { performServerHandshake } = await import('node:http2');
  const sessions = new Set<ServerHttp2Session>();
  let isClosing = false;
  const watch = watchHttp2(limits, refusals);

  return {
    accept(socket: Socket): void {
      // Those of Node's server of HTTP/1.1 stay half open, and a session closes with its socket: what a client that is gone
      // had asked for would go on at the upstreams. Node's own servers of HTTP/2, and nginx, end with the client as well.
      socket.allowHalfOpen = false;
      const session = performServerHandshake(socket, sessionOptions(limits.now));
      session.setLocalWindowSize(connectionWindow);
      const peer = peerOf(socket);
      const watched = watch.watch(session);
      sessions.add(session);
      session.once('close', () => sessions.delete(session));
      // What a client does wrong ends its own session; there is nobody else to tell.
      session.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
        // Any other is the socket's: its client went away.
        if (code.startsWith('ERR_HTTP2_')) refusals.refused('http2-frames');
        session.destroy();
      });
      session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _: number, raw: string[]) => {
        const request = new Http2Request(stream, { headers, raw }, peer);
        const response = new Http2Response(stream, request);
        watched.opened(response);
        serve(request, response);
      });
      if (isClosing) closeSoon(session);
    },

    /**
     * Tells clients to go elsewhere (GOAWAY); streams that are open go on to their end. What a client sent before it
     * knew is told to be unprocessed, so that it may ask again (RFC 9113 sections 6.8, 8.7): Node sends no notice ahead.
     */
    close(): void {
      isClosing = true;
      for (const session of sessions) session.close();
    },

    destroy(): void {
      watch.stop();
      for (const session of sessions) session.destroy();
    },
  };
}

export type Http2Sessions = Awaited<ReturnType<typeof createHttp2Sessions>>;
