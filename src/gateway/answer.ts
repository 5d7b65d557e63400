import { STATUS_CODES } from './node-http.ts';
import { fieldValue } from './field-value.ts';
import { grpcHeaders } from './grpc.ts';
import type { ResponseMessage } from './client-message.ts';
import { lingerMs } from './linger.ts';
import type { HeaderSettings } from './proxy-settings.ts';
import { withPluginHeaders, type ResponseHeader } from './response-headers.ts';
import { endAtTurnEnd } from './turn-end.ts';

/** An answer that the gateway makes itself. */
export interface Answer {
  readonly status: number;
  readonly message: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Sent as it is instead of the body that Accept asks for. */
  readonly body?: { readonly text: string; readonly contentType?: string };
  /** Whether the connection may not be used again. */
  readonly isLast?: boolean;
  /** Whether the client may still be sending its body, which is read and thrown away for a while. */
  readonly isEarly?: boolean;
  /** In Kong these come out of nginx itself: a client that states no Accept gets text (kong-facts 2.2). */
  readonly raisedBy?: 'nginx';
}

type ErrorFormat = 'json' | 'text' | 'html' | 'xml';

const contentTypes: Readonly<Record<ErrorFormat, string>> = {
  json: 'application/json; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  html: 'text/html; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
};

const formats: Readonly<Record<string, ErrorFormat>> = {
  'application/json': 'json',
  'application/*': 'json',
  '*/*': 'json',
  'text/plain': 'text',
  'text/*': 'text',
  'text/html': 'html',
  'application/xml': 'xml',
  'text/xml': 'xml',
};

/** The format of an error body: the highest `q` of Accept, the first of equals, else JSON (kong-facts 2.2). */
function errorFormat(accept: string | undefined): ErrorFormat {
  if (accept === undefined || accept === '*/*') return 'json';
  let best: ErrorFormat = 'json';
  let bestQuality = 0;
  for (const item of accept.split(',')) {
    const [type = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const stated = parameters.find((parameter) => parameter.startsWith('q='));
    const quality = stated === undefined ? 1 : Number(stated.slice(2));
    if (!(quality > bestQuality)) continue;
    bestQuality = quality;
    best = formats[type] ?? 'json';
  }
  return best;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeMarkup = (text: string): string =>
  text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);

/** What comes before the id of a request in a body of JSON. */
interface JsonStart {
  readonly message: string;
  readonly text: string;
  readonly bytes: number;
}

/** Of the last one: answers that come in number say the same. */
let lastStart: JsonStart | undefined;

function jsonStart(message: string): JsonStart {
  if (message === lastStart?.message) return lastStart;
  const text = `{\n  "message":${JSON.stringify(message)},\n  "request_id":"`;
  lastStart = { message, text, bytes: Buffer.byteLength(text) };
  return lastStart;
}

const jsonEnd = '"\n}';

/** Kong's error bodies, to the letter (kong-facts 1.4, 2.2), save that markup is escaped. */
function errorBody(format: Exclude<ErrorFormat, 'json'>, message: string, requestId: string): string {
  switch (format) {
    case 'text':
      return `${message}\nrequest_id: ${requestId}\n`;
    case 'html':
      return `<!doctype html>\n<html>\n  <head>\n    <meta charset="utf-8">\n    <title>Error</title>\n  </head>\n  <body>\n    <h1>Error</h1>\n    <p>${escapeMarkup(message)}.</p>\n    <p>request_id: ${requestId}</p>\n  </body>\n</html>\n`;
    case 'xml':
      return `<?xml version="1.0" encoding="UTF-8"?>\n<error>\n  <message>${escapeMarkup(message)}</message>\n  <requestid>${requestId}</requestid>\n</error>\n`;
  }
}

/** What an answer says about itself besides its own headers. */
export interface AnswerContext {
  readonly accept: string | undefined;
  /** A call of gRPC over whatever gets a status of its own and no body (kong-facts 2.2). */
  readonly isGrpc?: boolean;
  /** Of the request's own body: it stands in for Accept where nginx raises the error. */
  readonly contentType?: string | undefined;
  readonly isHead: boolean;
  readonly requestId: string;
  readonly server: string;
  /** Which of these headers are sent. */
  readonly shown: HeaderSettings;
  /** Since the request came, in milliseconds. */
  readonly latencyMs: number;
  /** Headers that tell an attempt to proxy apart from an answer given without one (kong-facts 2.4). */
  readonly upstreamLatencyMs?: number;
  /** What plugins add to the answer. */
  readonly pluginHeaders?: readonly ResponseHeader[] | undefined;
}

/** A text with its length in bytes. */
interface Body {
  readonly text: string;
  readonly bytes: number;
  readonly contentType: string | undefined;
}

function usualBody(answer: Answer, { accept, contentType, requestId }: AnswerContext): Body {
  const format = errorFormat(accept ?? (answer.raisedBy === 'nginx' ? (contentType ?? 'text/plain') : undefined));
  if (format === 'json') {
    const start = jsonStart(answer.message);
    // The id and what is behind it are ASCII.
    const bytes = start.bytes + requestId.length + jsonEnd.length;
    return { text: start.text + requestId + jsonEnd, bytes, contentType: contentTypes.json };
  }
  const text = errorBody(format, answer.message, requestId);
  return { text, bytes: Buffer.byteLength(text), contentType: contentTypes[format] };
}

function ownBody({ text, contentType }: NonNullable<Answer['body']>): Body {
  const shown = contentType === undefined ? undefined : fieldValue(contentType);
  return { text, bytes: Buffer.byteLength(text), contentType: shown };
}

/** The gateway's own headers; those of the upstream's part tell an attempt to proxy from an answer without one. */
function pushOwn(headers: string[], { status }: Answer, context: AnswerContext): void {
  const { shown, upstreamLatencyMs } = context;
  if (upstreamLatencyMs === undefined) {
    if (shown.responseLatency) headers.push('X-Kong-Response-Latency', String(context.latencyMs));
  } else {
    if (shown.upstreamStatus) headers.push('X-Kong-Upstream-Status', String(status));
    if (shown.upstreamLatency) headers.push('X-Kong-Upstream-Latency', String(upstreamLatencyMs));
    if (shown.proxyLatency) headers.push('X-Kong-Proxy-Latency', String(context.latencyMs));
  }
  if (shown.server) headers.push('Server', context.server);
  if (shown.requestId) headers.push('X-Kong-Request-Id', context.requestId);
}

/** Connections on which a last answer was given. */
const ended = new WeakSet<object>();

/** Whether the connection of a request ends with an answer to one before it. */
export const isEnded = (socket: object): boolean => ended.has(socket);

/** What comes behind the requests so far is not served. */
export const serveNoMore = (socket: object): void => void ended.add(socket);

function endConnection(headers: string[], { req }: ResponseMessage): void {
  headers.push('Connection', 'close');
  if (req !== undefined) ended.add(req.socket);
}

/**
 * Sends the whole of an answer, and ends the connection only once the request's body has come: bytes that are left
 * unread as a connection is closed make the other side lose an answer that it has not read yet (RFC 9112 section 9.6).
 */
function linger(response: ResponseMessage, request: NonNullable<ResponseMessage['req']>, text: string): void {
  const end = (): void => {
    if (!response.destroyed) response.end();
  };
  const timer = setTimeout(end, lingerMs);
  response.once('close', () => clearTimeout(timer));
  request.once('end', end);
  response.write(Buffer.from(text));
  // Who was reading the body lets go of it first.
  setImmediate(() => request.resume());
}

interface AnswerBody {
  /** Those that say what it is. */
  readonly headers: string[];
  readonly text: string;
  readonly bytes: number;
}

/** The body of an answer; a call of gRPC has none. */
function bodyOf(answer: Answer, context: AnswerContext): AnswerBody {
  if (context.isGrpc === true && answer.body === undefined) return { headers: grpcHeaders(answer), text: '', bytes: 0 };
  const { text, bytes, contentType } = answer.body === undefined ? usualBody(answer, context) : ownBody(answer.body);
  const headers: string[] = contentType === undefined ? [] : ['Content-Type', contentType];
  if (answer.status !== 204 && answer.status !== 304) headers.push('Content-Length', String(bytes));
  return context.isHead ? { headers, text: '', bytes: 0 } : { headers, text, bytes };
}

/**
 * Sends an answer with Kong's headers and the body that the client's Accept asks for. Gives the bytes of the body.
 */
export function sendAnswer(response: ResponseMessage, answer: Answer, context: AnswerContext): number {
  if (response.headersSent || response.destroyed) return 0;
  const body = bodyOf(answer, context);
  const { headers } = body;
  for (const [name, value] of answer.headers ?? []) headers.push(name, fieldValue(value));
  pushOwn(headers, answer, context);
  if (answer.isLast === true) endConnection(headers, response);
  if (body.bytes === 0) response.expectEnd?.('head');
  response.writeHead(
    answer.status,
    STATUS_CODES[answer.status] ?? '',
    withPluginHeaders(headers, context.pluginHeaders),
  );
  sendBody(response, answer, body);
  return body.bytes;
}

function sendBody(response: ResponseMessage, { isEarly, isLast }: Answer, { text, bytes }: AnswerBody): void {
  if (bytes === 0) return void response.end();
  if (isEarly === true && response.req?.complete === false) return linger(response, response.req, text);
  // As text, not as bytes: it leaves in one write with the head. What is ASCII needs no look at each character.
  const encoding = bytes === text.length ? 'latin1' : 'utf8';
  if (isLast === true) response.end(text, encoding);
  else endAtTurnEnd(response, text, encoding);
}
