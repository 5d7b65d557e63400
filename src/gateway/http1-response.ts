/**
 * Node's response over HTTP/1.1, whose head is written here. Node looks at each name and value once more, which takes a
 * thirtieth of a small request, and reads a Content-Disposition that comes behind a Content-Length as UTF-8: a file name
 * that is not ASCII went on as other bytes, or cut the connection. Decision 0025 tells which of Node's fields this uses.
 */
import type { IncomingMessage } from 'node:http';
import { ServerResponseClass } from './node-http.ts';

let dateLine = '';

/** `Date: …` as RFC 9110 section 5.6.7 has it, made once a second. */
function currentDate(): string {
  if (dateLine !== '') return dateLine;
  const now = new Date();
  dateLine = `Date: ${now.toUTCString()}\r\n`;
  setTimeout(() => (dateLine = ''), 1_000 - now.getMilliseconds()).unref();
  return dateLine;
}

/** What the fields of a head say that Node would add otherwise. */
interface Stated {
  date: boolean;
  length: boolean;
  connection: boolean;
}

const closes = /(?:^|\W)close(?:$|\W)/i;

/**
 * A response to a client. Its fields come from parsers that have refused what no field may hold, or through
 * `fieldValue`: they are not looked at again.
 */
export class Http1Response<Request extends IncomingMessage = IncomingMessage> extends ServerResponseClass<Request> {
  // Fields of Node's; to initialise them here would take what it has set.
  declare _header: string | null;
  declare _headerSent: boolean;
  /** Whether the connection ends with this response. */
  declare _last: boolean;
  declare _hasBody: boolean;
  /** In milliseconds; 0 for none. */
  declare _keepAliveTimeout: number;

  /** Node calls it with the fields that `writeHead` was given, a flat list of names and values. */
  _storeHeader(statusLine: string, fields: readonly string[] = []): void {
    const stated: Stated = { date: false, length: false, connection: false };
    let head = statusLine;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] ?? '';
      const value = fields[i + 1] ?? '';
      head += `${name}: ${value}\r\n`;
      this.#look(name, value, stated);
    }
    if (!stated.date) head += currentDate();
    if (!stated.connection) head += this.#connectionLines(stated);
    if (!stated.length) head += this.#framingLine();
    this._header = `${head}\r\n`;
    this._headerSent = false;
  }

  /** By their lengths most names are none of those that matter. */
  #look(name: string, value: string, stated: Stated): void {
    if (name.length === 4) {
      if (name.toLowerCase() === 'date') stated.date = true;
    } else if (name.length === 10) {
      if (name.toLowerCase() === 'connection') this.#stateConnection(value, stated);
    } else if (name.length === 14 && name.toLowerCase() === 'content-length') stated.length = true;
  }

  #stateConnection(value: string, stated: Stated): void {
    stated.connection = true;
    if (closes.test(value)) this._last = true;
    else this.shouldKeepAlive = true;
  }

  /** RFC 9112 section 9.3: to one of HTTP/1.0 the connection stays only if the response has a length. */
  #connectionLines({ length }: Stated): string {
    if (!this.shouldKeepAlive || (!length && !this.useChunkedEncodingByDefault)) {
      this._last = true;
      return 'Connection: close\r\n';
    }
    if (this._keepAliveTimeout === 0) return 'Connection: keep-alive\r\n';
    return `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(this._keepAliveTimeout / 1_000)}\r\n`;
  }

  /** How the end of a body is told that has no length (RFC 9112 section 6.3). */
  #framingLine(): string {
    this.chunkedEncoding = this._hasBody && this.useChunkedEncodingByDefault;
    if (this._hasBody && !this.chunkedEncoding) this._last = true;
    return this.chunkedEncoding ? 'Transfer-Encoding: chunked\r\n' : '';
  }
}
