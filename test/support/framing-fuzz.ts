/** Requests that are nearly right, for a fuzz of how they are read. */
import fc from 'fast-check';

const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n\r\n`;

const field = fc.constantFrom(
  'X-A: b',
  'X-A:',
  'Accept: */*',
  'Connection: keep-alive',
  'Connection: x-a',
  'TE: trailers',
  'X_B: c',
);

const target = fc.constantFrom('/', '/a', '/a/b?c=d', '/a%2Fb', '//a', '/a/../b', '/a;x=1', 'http://a/x', '/%41?');

const request = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'),
    target,
    version: fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
    fields: fc.array(field, { maxLength: 2 }),
    body: fc.constantFrom('none', 'length', 'chunked'),
  })
  .map(({ method, target: path, version, fields, body }) => {
    const start = [`${method} ${path} HTTP/${version}`, 'Host: a', ...fields];
    if (body === 'length') return `${lines(...start, 'Content-Length: 5')}12345`;
    if (body === 'chunked')
      return `${lines(...start, 'Transfer-Encoding: chunked')}3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n`;
    return lines(...start);
  });

/** What parsers have been known to differ on. */
const spice = fc.constantFrom(
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  '\x0b',
  '\x85',
  '\xa0',
  ':',
  ',',
  ';',
  '"',
  '0',
  '+',
  '-',
  '0x',
  '_',
  '%',
  '\\',
  '\r\n ',
  '0\r\n\r\n',
  '5\r\n',
  'chunked',
  'Content-Length: 3\r\n',
  'Content-Length: 0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding:\x0bchunked\r\n',
  'Connection: close, content-length\r\n',
  'Expect: 100-continue\r\n',
  'Host: b\r\n',
  'Upgrade: websocket\r\nConnection: Upgrade\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
);

type Mutation = readonly [kind: 'insert' | 'replace' | 'delete' | 'repeat', at: number, length: number, text: string];

const mutation: fc.Arbitrary<Mutation> = fc.tuple(
  fc.constantFrom('insert', 'replace', 'delete', 'repeat'),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.integer({ min: 1, max: 20 }),
  spice,
);

function mutate(text: string, [kind, where, length, added]: Mutation): string {
  const at = Math.floor(where * text.length);
  const [before, piece, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
  switch (kind) {
    case 'insert':
      return before + added + piece + after;
    case 'replace':
      return before + added + after;
    case 'delete':
      return before + after;
    case 'repeat':
      return before + piece + piece + after;
  }
}

/** What goes out on one connection: one to three requests, of which most have something wrong. */
export const rawRequests: fc.Arbitrary<string> = fc
  .tuple(fc.array(request, { minLength: 1, maxLength: 3 }), fc.array(mutation, { maxLength: 3 }))
  .map(([requests, mutations]) => mutations.reduce(mutate, requests.join('')));
