import { Http1Response, nextToLeave } from './http1-response.ts';
import { IncomingMessageClass } from './node-http.ts';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { sendAnswer, type Answer, type AnswerContext } from './answer.ts';
import type { RequestMessage, ResponseMessage } from './client-message.ts';
import { isGrpc } from './grpc.ts';
import type { AccessLog } from './access-log.ts';
import { plainAddress } from './client-trust.ts';
import type { HeaderSettings } from './proxy-settings.ts';
import type { RefusalReason } from './refusal-reason.ts';
import { newRequestId } from './request-id.ts';

/** What answering a fault takes. */
export interface FaultServices {
  /** `latchkey/0.1.0`. */
  readonly server: string;
  readonly headers: HeaderSettings;
  readonly accessLog?: Pick<AccessLog, 'unread'> | undefined;
  /** Told of every request that is refused before it had a meaning. */
  refused?(reason: RefusalReason): void;
}

interface ClientFault extends Answer {
  readonly reason: RefusalReason;
}

const late: ClientFault = { status: 408, message: 'Request timeout', reason: 'request-timeout', raisedBy: 'nginx' };
const malformed: ClientFault = { status: 400, message: 'Bad request', reason: 'malformed', raisedBy: 'nginx' };

/** What the codes of Node and its parser mean to the client; any other is a request that cannot be read. */
const faults: Readonly<Record<string, ClientFault>> = {
  // RFC 6585 section 5; Kong says 400 with the same text (kong-facts 2.1).
  HPE_HEADER_OVERFLOW: {
    status: 431,
    message: 'Request header or cookie too large',
    reason: 'head-size',
    raisedBy: 'nginx',
  },
  ERR_HTTP_REQUEST_TIMEOUT: late,
};

/** The text is nginx's. */
const plainOnTls: ClientFault = {
  status: 400,
  message: 'The plain HTTP request was sent to HTTPS port',
  reason: 'plain-on-tls',
  raisedBy: 'nginx',
};

/** OpenSSL knows some methods; what it says of others it also says later in a handshake, when bytes have gone out. */
const notTls = new Set(['ERR_SSL_HTTP_REQUEST', 'ERR_SSL_WRONG_VERSION_NUMBER']);

/** Node hands over the connection of TLS alone, which cannot send any more. */
const connectionBelow = (socket: Duplex): Socket | undefined =>
  (socket as Duplex & { readonly _parent?: Socket | null })._parent ?? undefined;

function answerOn(
  response: ResponseMessage,
  fault: ClientFault,
  { server, headers: shown }: FaultServices,
  about: Pick<AnswerContext, 'isGrpc' | 'isHead'> & { readonly requestId?: string } = { isHead: false },
): void {
  // Of a request that cannot be read no header counts, so the body is Kong's usual one.
  const context = { accept: undefined, requestId: newRequestId(), server, shown, latencyMs: 0, ...about };
  sendAnswer(response, { ...fault, isLast: true }, context);
}

/** Answers on a connection that no response is under way on, and closes it. */
function answerBare(socket: Socket, fault: ClientFault, services: FaultServices): void {
  const response = new Http1Response(new IncomingMessageClass(socket));
  response.assignSocket(socket);
  response.once('finish', () => socket.destroySoon());
  const requestId = newRequestId();
  const { status, reason } = fault;
  const address = plainAddress(socket.remoteAddress ?? '');
  answerOn(response, fault, services, { isHead: false, requestId });
  services.accessLog?.unread({ requestId, address, status, reason });
}

/**
 * Answers and closes. Requests that came whole before the faulty one are answered first: else one of them would
 * take this for its own answer.
 */
function conclude(socket: Socket, fault: ClientFault, services: FaultServices): void {
  const next = nextToLeave(socket);
  if (!socket.writable) socket.destroy();
  else if (next === undefined) answerBare(socket, fault, services);
  else if (next.req.complete) next.once('finish', () => conclude(socket, fault, services));
  // Part of an answer is out; only a cut connection tells that it ends there.
  else if (next.headersSent) socket.destroy();
  else answerOn(next, fault, services);
}

/** Answers what Node's parser refuses, and what takes too long, as Kong does (kong-facts 2.1). */
export function clientFaults(services: FaultServices) {
  const concluded = new WeakSet<Duplex>();

  const refuse = (socket: Socket, fault: ClientFault): void => {
    // More bytes after the first fault are the same fault again.
    if (concluded.has(socket)) return;
    concluded.add(socket);
    services.refused?.(fault.reason);
    conclude(socket, fault, services);
  };

  /** Nothing can be said to a client that has not come so far; Node leaves its connection open. */
  const cutHandshake = (socket: Duplex): void => {
    services.refused?.(late.reason);
    socket.destroy();
  };

  return {
    /** For `clientError` of a server. */
    onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
      // Also what ails TLS comes here, once nothing can be said any more.
      if (!socket.writable) socket.destroy();
      else if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') cutHandshake(socket);
      else refuse(socket as Socket, faults[error.code ?? ''] ?? malformed);
    },

    /** For what comes over HTTP/2. */
    http2Refusals: {
      /** The connection serves other requests. */
      onLate(request: RequestMessage, response: ResponseMessage): void {
        services.refused?.(late.reason);
        // Part of an answer is out; only a reset stream tells that it ends there.
        if (response.headersSent) response.destroy(new Error('the request takes too long'));
        else answerOn(response, late, services, { isGrpc: isGrpc(request), isHead: request.method === 'HEAD' });
      },
      refused: (reason: RefusalReason): void => services.refused?.(reason),
    },

    /** For `tlsClientError` of a server. */
    onTlsError(error: NodeJS.ErrnoException, socket: Duplex): void {
      const raw = connectionBelow(socket);
      if (raw !== undefined && notTls.has(error.code ?? '') && raw.bytesWritten === 0) refuse(raw, plainOnTls);
    },
  };
}
