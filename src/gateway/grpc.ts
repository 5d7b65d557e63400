/** gRPC over HTTP/2: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
import type { RouteEntry } from '#table/route-entry.ts';
import type { Answer } from './answer.ts';
import type { RequestMessage } from './client-message.ts';

const contentType = 'application/grpc';

/** Whether a request is a call of gRPC, with whatever encoding of its messages. */
export const isGrpc = ({ headers }: RequestMessage): boolean =>
  headers['content-type']?.toLowerCase().startsWith(contentType) === true;

/** Status codes of gRPC by those of HTTP (kong-facts 2.2). */
const statuses: Readonly<Record<number, number>> = {
  200: 0,
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  409: 6,
  429: 8,
  499: 1,
  500: 13,
  501: 12,
  503: 14,
  504: 4,
};

const statusOf = (status: number): number => statuses[status] ?? (status >= 500 ? 13 : 3);

/** Text as `grpc-message` has it: what is not printable ASCII, and `%`, percent-encoded. */
const messageText = (text: string): string =>
  text.replaceAll(/[^\u0020-\u0024\u0026-\u007e]/gu, (character) => encodeURIComponent(character));

/** The headers of an answer that a call of gRPC gets instead of a body. */
export function grpcHeaders({ status, message }: Answer): string[] {
  return ['Content-Type', contentType, 'grpc-status', String(statusOf(status)), 'grpc-message', messageText(message)];
}

const isForGrpcAlone = ({ protocols }: RouteEntry): boolean =>
  protocols !== undefined && !protocols.includes('http') && !protocols.includes('https');

/** The answer to a request that a route for gRPC alone does not take (kong-facts 2.1). */
export function grpcRefusal(route: RouteEntry, request: RequestMessage): Answer | undefined {
  if (!isForGrpcAlone(route)) return undefined;
  if (!isGrpc(request)) return { status: 415, message: 'Non-gRPC request matched gRPC route' };
  if (request.httpVersion === '2.0') return undefined;
  const headers = [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'HTTP/2'],
  ] as const;
  return { status: 426, message: 'Please use HTTP2 protocol', headers };
}
