/** Heads of responses as HTTP/1.1 writes them (RFC 9112). */
import { lowerName } from './header-name.ts';
import { fieldLine } from './http1-outgoing.ts';

let dateLine = '';

/** `Date: …` as RFC 9110 section 5.6.7 has it, made once a second. */
function currentDate(): string {
  if (dateLine !== '') return dateLine;
  const now = new Date();
  dateLine = `Date: ${now.toUTCString()}\r\n`;
  setTimeout(() => (dateLine = ''), 1_000 - now.getMilliseconds()).unref();
  return dateLine;
}

/** What a head goes by besides its fields. */
export interface HeadContext {
  /** Whether the connection may serve another request. */
  readonly mayStay: boolean;
  /** For so long it is kept without one, in milliseconds; 0 for as long as it is open. */
  readonly keepAliveMs: number;
  readonly hasBody: boolean;
  /** Whether the client knows chunks, which HTTP/1.0 has not (RFC 9112 section 6.1). */
  readonly knowsChunks: boolean;
}

/** A head, and what it says of what comes behind it. */
export interface ResponseHead {
  text: string;
  /** Whether the connection ends with the response. */
  isLast: boolean;
  isChunked: boolean;
}

/** What the fields of a head say that is added otherwise. */
interface Stated {
  date: boolean;
  length: boolean;
  connection: boolean;
}

const closes = /(?:^|\W)close(?:$|\W)/i;

/**
 * The head of a response. Its fields come from parsers that have refused what no field may hold, or through
 * `fieldValue`: they are not looked at again.
 * @param fields flat list of names and values
 */
export function responseHead(
  status: number,
  reason: string,
  fields: readonly string[],
  context: HeadContext,
): ResponseHead {
  const head: ResponseHead = { text: `HTTP/1.1 ${status} ${reason}\r\n`, isLast: false, isChunked: false };
  const stated: Stated = { date: false, length: false, connection: false };
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    head.text += fieldLine(name, value);
    look(name, value, stated, head);
  }
  if (!stated.date) head.text += currentDate();
  if (!stated.connection) head.text += connectionLines(head, stated, context);
  if (!stated.length && context.hasBody) head.text += framingLine(head, context);
  head.text += '\r\n';
  return head;
}

/** By their lengths most names are none of those that matter. */
function look(name: string, value: string, stated: Stated, head: ResponseHead): void {
  if (name.length === 4) {
    if (lowerName(name) === 'date') stated.date = true;
  } else if (name.length === 10) {
    if (lowerName(name) !== 'connection') return;
    stated.connection = true;
    if (closes.test(value)) head.isLast = true;
  } else if (name.length === 14 && lowerName(name) === 'content-length') stated.length = true;
}

/** RFC 9112 section 9.3: to one of HTTP/1.0 the connection stays only if the response has a length. */
function connectionLines(
  head: ResponseHead,
  { length }: Stated,
  { mayStay, keepAliveMs, knowsChunks }: HeadContext,
): string {
  if (!mayStay || (!length && !knowsChunks)) {
    head.isLast = true;
    return 'Connection: close\r\n';
  }
  if (keepAliveMs === 0) return 'Connection: keep-alive\r\n';
  return `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1_000)}\r\n`;
}

/** How the end of a body is told that has no length (RFC 9112 section 6.3). */
function framingLine(head: ResponseHead, { knowsChunks }: HeadContext): string {
  head.isChunked = knowsChunks;
  if (!knowsChunks) head.isLast = true;
  return knowsChunks ? 'Transfer-Encoding: chunked\r\n' : '';
}
