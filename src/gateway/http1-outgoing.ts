/** Requests as HTTP/1.1 writes them (RFC 9112). */
import type { Socket } from 'node:net';
import { lowerName } from './header-name.ts';
import { ResponseSyntaxError } from './response-parser.ts';
import { connected, drained } from './socket-ready.ts';
import type { UpstreamRequest } from './upstream.ts';

/** What may stand in a request line; llhttp has checked what the client sent, this checks what we made of it. */
const requestTarget = /^[\x21-\x7e\x80-\xff]+$/;

/** The length that a request states of its body, which has no fields behind it then. */
function statedLength(headers: readonly string[]): number | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name.length === 14 && lowerName(name) === 'content-length') return Number(headers[i + 1]);
  }
  return undefined;
}

/** A field as a line (RFC 9112 section 5). Not a template: V8 would ask of both whether they are text already. */
export const fieldLine = (name: string, value: string): string => name + ': ' + value + '\r\n';

/** A flat list of names and values as fields, a line each. */
export function fieldLines(flat: readonly string[]): string {
  let lines = '';
  for (let i = 0; i < flat.length; i += 2) lines += fieldLine(flat[i] ?? '', flat[i + 1] ?? '');
  return lines;
}

const trailerLines = ({ trailers }: UpstreamRequest): string => fieldLines(trailers?.() ?? []);

/** A body that came in chunks and was read whole has no length of its own: without one it would be the next request. */
function framingLine(request: UpstreamRequest): string {
  const { body } = request;
  return Buffer.isBuffer(body) && trailerLines(request) === ''
    ? `Content-Length: ${body.byteLength}\r\n`
    : 'Transfer-Encoding: chunked\r\n';
}

/** The head of a request. @throws ResponseSyntaxError for a path that would be more than one */
export function headText(request: UpstreamRequest): string {
  if (!requestTarget.test(request.path))
    throw new ResponseSyntaxError('the path has a character that no request may have');
  const { headers } = request;
  let text = `${request.method} ${request.path} HTTP/1.1\r\n${fieldLines(headers)}`;
  if (request.body !== null && statedLength(headers) === undefined) text += framingLine(request);
  return `${text}Connection: keep-alive\r\n\r\n`;
}

/** Writes a body that is at hand behind its head, in one piece. */
export function writeWhole(socket: Socket, head: string, request: UpstreamRequest, onSent: () => void): void {
  const body = request.body as Buffer;
  const lines = statedLength(request.headers) === undefined ? trailerLines(request) : '';
  socket.cork();
  socket.write(head, 'latin1');
  if (lines === '') socket.write(body, onSent);
  else {
    writeChunk(socket, body);
    socket.write(`0\r\n${lines}\r\n`, 'latin1', onSent);
  }
  socket.uncork();
}

function writeChunk(socket: Socket, part: Buffer): void {
  if (part.byteLength === 0) return; // it would be the last
  socket.cork();
  socket.write(`${part.byteLength.toString(16)}\r\n`, 'latin1');
  socket.write(part);
  socket.write('\r\n', 'latin1');
  socket.uncork();
}

/** What is told while a body is sent in parts. */
interface Sending {
  /** Whether anybody still wants the rest to be sent. */
  isWanted(): boolean;
  /** The other side does not take a part in. */
  onLate(): void;
}

/**
 * Writes a head and a body as it comes; resolves once all of it is handed over, or nobody wants it any more.
 * Rejects when the body breaks off: then its end must never be sent.
 */
export async function writeParts(
  socket: Socket,
  head: string,
  request: UpstreamRequest,
  { isWanted, onLate }: Sending,
): Promise<void> {
  const length = statedLength(request.headers);
  let bytes = 0;
  // A body that has been read cannot be sent to another target, which is tried when this one cannot be connected to.
  await connected(socket);
  if (!isWanted()) return;
  socket.write(head, 'latin1');
  for await (const part of request.body as AsyncIterable<Buffer>) {
    if (!isWanted()) return;
    bytes += part.byteLength;
    if (length === undefined) writeChunk(socket, part);
    else writeStated(socket, part, length - bytes);
    if (socket.writableNeedDrain) await drainedInTime(socket, request.writeTimeoutMs, onLate);
  }
  if (isWanted() && length === undefined) endChunks(socket, request, isWanted);
  else if (length !== undefined) assertWhole(length, bytes);
}

/** What is more than was stated would be the next request. */
function writeStated(socket: Socket, part: Buffer, remaining: number): void {
  if (remaining < 0) throw new Error('the body is longer than was stated');
  socket.write(part);
}

/** What is less would take the next request for the rest. */
function assertWhole(length: number, bytes: number): void {
  if (bytes !== length) throw new Error('the body is shorter than was stated');
}

function endChunks(socket: Socket, request: UpstreamRequest, isWanted: () => boolean): void {
  const lines = trailerLines(request);
  // A request may be refused for its trailers.
  if (isWanted()) socket.write(`0\r\n${lines}\r\n`, 'latin1');
}

async function drainedInTime(socket: Socket, timeoutMs: number, onLate: () => void): Promise<void> {
  const timer = setTimeout(onLate, timeoutMs);
  try {
    await drained(socket);
  } finally {
    clearTimeout(timer);
  }
}
