/**
 * The response parser against llhttp, Node's own: on thousands of mutated responses, whatever ours accepts
 * llhttp accepts with the same status, headers, body, trailers and interim responses. Ours may refuse more.
 */
import { request as httpRequest } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ResponseParser } from '#gateway/response-parser.ts';

interface Outcome {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  readonly interims: readonly (readonly [status: number, ...headers: string[]])[];
}

/** What our parser makes of a response, given in pieces; undefined if it refuses or waits for more. */
function parseOurs(pieces: readonly Buffer[]): Outcome | undefined {
  let head: Pick<Outcome, 'status' | 'statusText' | 'headers'> | undefined;
  let body = '';
  let trailers: readonly string[] = [];
  let isComplete = false;
  const interims: [number, ...string[]][] = [];
  const parser = new ResponseParser({
    onInterim: (status, headers) => interims.push([status, ...headers]),
    onHead: (status, statusText, headers) => (head = { status, statusText, headers }),
    onData: (chunk) => (body += chunk.toString('latin1')),
    onEnd(_, fields = []) {
      isComplete = true;
      trailers = fields;
    },
  });
  parser.expect(false);
  try {
    for (const piece of pieces) parser.feed(piece);
    parser.finish();
  } catch {
    // Also bytes behind a complete response: the connection is given up, as llhttp does.
    return undefined;
  }
  return isComplete && head !== undefined ? { ...head, body, trailers, interims } : undefined;
}

/** What Node's client makes of it. */
async function parseNode(bytes: Buffer): Promise<Outcome | undefined> {
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  return new Promise((resolve) => {
    const request = httpRequest({ createConnection: () => socket, path: '/', headers: { Host: 'a' } });
    request.once('error', () => resolve(undefined));
    request.once('upgrade', () => resolve(undefined));
    const interims: [number, ...string[]][] = [];
    request.on('information', ({ statusCode, rawHeaders }) => interims.push([statusCode, ...rawHeaders]));
    request.once('response', (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      response.once('error', () => resolve(undefined));
      response.once('end', () => {
        const { statusCode: status = 0, statusMessage: statusText = '', rawHeaders: headers } = response;
        const { complete, rawTrailers: trailers } = response;
        resolve(complete ? { status, statusText, headers, body, trailers, interims } : undefined);
      });
    });
    request.end();
    socket.push(bytes);
    socket.push(null);
  });
}

const corpus = [
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;a=b\r\nyou\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\nX-U:\t 2 \r\n\r\n',
  'HTTP/1.1 200\r\nConnection: close\r\n\r\nuntil the end',
  'HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\ngone',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\nX-A: 1\r\nX-A:   2 \t\r\nX-B:\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\nETag: "a"\r\n\r\n',
];

const token = fc.constantFrom(
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\t',
  ' ',
  ':',
  ';',
  ',',
  '0',
  '1',
  'a',
  'F',
  'x',
  '-',
  '+',
  '\0',
  '\x7f',
  '\x80',
  '\xff',
  '"',
  'Content-Length: 3\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Connection: close\r\n',
  'chunked',
  'HTTP/1.1',
  ' folded\r\n',
  '0x',
  '00',
);

const mutation = fc.record({
  at: fc.integer({ min: 0, max: 999 }).map((thousandth) => thousandth / 1000),
  remove: fc.integer({ min: 0, max: 4 }),
  insert: fc.oneof(fc.constant(''), token),
});

function mutate(
  text: string,
  mutations: readonly { readonly at: number; readonly remove: number; readonly insert: string }[],
): Buffer {
  let result = text;
  for (const { at, remove, insert } of mutations) {
    const position = Math.floor(at * result.length);
    result = result.slice(0, position) + insert + result.slice(position + remove);
  }
  return Buffer.from(result, 'latin1');
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const positions = [...new Set(cuts.map((cut) => Math.floor(cut * bytes.byteLength)))].sort((a, b) => a - b);
  return [0, ...positions]
    .map((start, i) => bytes.subarray(start, positions[i] ?? bytes.byteLength))
    .filter((piece) => piece.byteLength > 0);
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 });

describe('whatever is accepted, llhttp accepts with the same result', () => {
  test.for(corpus)('%j', async (text) => {
    const bytes = Buffer.from(text, 'latin1');
    const ours = parseOurs([bytes]);
    expect(ours).toBeDefined();
    expect(ours).toEqual(await parseNode(bytes));
  });

  test('on mutated responses', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...corpus),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        cuts,
        async (text, mutations, where) => {
          const bytes = mutate(text, mutations);
          const ours = parseOurs(split(bytes, where));
          if (ours === undefined) return;
          accepted += 1;
          expect(ours).toEqual(await parseNode(bytes));
        },
      ),
      { numRuns: 20_000 },
    );
    // The comparison means something only if mutants are accepted too.
    expect(accepted).toBeGreaterThan(500);
  });

  test('however a response is cut into pieces, the result is the same', () => {
    fc.assert(
      fc.property(fc.constantFrom(...corpus), cuts, (text, where) => {
        const bytes = Buffer.from(text, 'latin1');
        expect(parseOurs(split(bytes, where))).toEqual(parseOurs([bytes]));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('what may not be trusted is refused', () => {
  test.for([
    ['both lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello'],
    ['a signed length', 'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello'],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n'],
    ['a bare line feed', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
    ['a switch that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(20_000)}`],
    [
      'a chunk size in another notation',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n',
    ],
  ] as const)('%s', ([, text]) => {
    expect(parseOurs([Buffer.from(text, 'latin1')])).toBeUndefined();
  });

  test('bytes after a response spoil the connection', () => {
    const parser = new ResponseParser({
      onInterim: () => undefined,
      onHead: () => undefined,
      onData: () => undefined,
      onEnd: () => undefined,
    });
    parser.expect(false);
    expect(() => parser.feed(Buffer.from('HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'))).toThrow(
      'belong to no response',
    );
  });
});
