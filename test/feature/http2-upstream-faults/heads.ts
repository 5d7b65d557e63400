import { head, lastData } from '../../support/frame-upstream.ts';
import { fieldBlock, flags, frame } from '../../support/http2-frames.ts';
import { part, sends, withHead, type FaultRow } from './fault-row.ts';

const ok = [':status', '200'] as const;

type Fields = readonly (readonly [string, string])[];

/** Heads that are none; the request has been read, so nothing is tried again. */
const malformed: Readonly<Record<string, Fields>> = {
  'a name in upper case': [ok, ['X-Upper', 'a']],
  'a field of a connection': [ok, ['connection', 'close']],
  'a coding of HTTP/1.1': [ok, ['transfer-encoding', 'chunked']],
  Upgrade: [ok, ['upgrade', 'websocket']],
  'no status': [['content-type', 'text/plain']],
  'two statuses': [ok, [':status', '404']],
  'a status behind the fields': [['content-type', 'text/plain'], ok],
  "a request's pseudo-field": [ok, [':path', '/']],
  'a pseudo-field that nobody knows': [ok, [':else', 'a']],
  'a status of two digits': [[':status', '99']],
  'a status of four digits': [[':status', '2000']],
  'a status that is no number': [[':status', 'abc']],
  'a status of zero': [[':status', '000']],
  'an empty status': [[':status', '']],
  'a switch of protocols': [[':status', '101']],
  'a length that is no number': [ok, ['content-length', 'two']],
  'two lengths': [ok, ['content-length', '2'], ['content-length', '3']],
};

/** Fields that are none: nghttp2 leaves them out. */
const leftOut: Fields = [
  ['x-a', 'a\0b'],
  ['x-a', 'a\nset-cookie: b'],
  ['', 'a'],
  ['x a', 'a'],
];

export const heads: readonly FaultRow[] = [
  ...Object.entries(malformed).map(([name, fields]) => ({
    name,
    onRequest: [withHead(fields)],
    gets: '502',
    asked: 1,
  })),
  ...leftOut.map((field) => ({
    name: `a field ${JSON.stringify(field)}`,
    onRequest: [withHead([ok, field])],
    gets: '200 ok',
    asked: 1,
  })),
  {
    name: 'an interim response that ends the stream',
    onRequest: [sends((stream) => [head(stream, [[':status', '103']], flags.END_STREAM)])],
    gets: '502',
    asked: 1,
  },
  {
    name: 'interim responses without end',
    onRequest: [sends((stream) => Array.from({ length: 40 }, () => head(stream, [[':status', '103']])))],
    gets: '502',
    asked: 1,
  },
  {
    name: 'a second head amid the body',
    onRequest: [sends((stream) => [head(stream), part(stream, 'o'), head(stream), lastData(stream, 'k')])],
    gets: 'cut',
    asked: 1,
  },
  {
    name: 'trailers with a status',
    onRequest: [sends((stream) => [head(stream), part(stream, 'ok'), head(stream, [ok], flags.END_STREAM)])],
    gets: 'cut',
    asked: 1,
  },
  {
    name: 'trailers that do not end the stream',
    onRequest: [sends((stream) => [head(stream), part(stream, 'ok'), head(stream, [['x-a', 'b']])])],
    gets: 'cut',
    asked: 1,
  },
  {
    name: 'a body shorter than its length',
    onRequest: [sends((stream) => [head(stream, [ok, ['content-length', '5']]), lastData(stream)])],
    gets: 'cut',
    asked: 1,
  },
  {
    name: 'a body longer than its length',
    onRequest: [sends((stream) => [head(stream, [ok, ['content-length', '2']]), lastData(stream, 'ok and more')])],
    gets: 'cut',
    asked: 1,
    beside: 'cut',
  },
  {
    name: 'a length and no body',
    onRequest: [sends((stream) => [head(stream, [ok, ['content-length', '2']], flags.END_STREAM)])],
    gets: '502',
    asked: 1,
  },
  {
    name: 'a head of 100 KiB',
    onRequest: [
      sends((stream) => {
        const block = fieldBlock([
          ok,
          ...Array.from({ length: 10 }, (_, i) => [`x-${i}`, 'a'.repeat(10_000)] as const),
        ]);
        const [first, ...rest] = Array.from({ length: 7 }, (_, i) => block.subarray(i * 16_000, (i + 1) * 16_000));
        return [
          frame('HEADERS', { stream }, first),
          ...rest.map((piece, i) =>
            frame('CONTINUATION', { stream, flag: i === rest.length - 1 ? flags.END_HEADERS : 0 }, piece),
          ),
          lastData(stream),
        ];
      }),
    ],
    gets: '502',
    asked: 1,
  },
  {
    name: 'a head of 1,000 fields',
    onRequest: [withHead([ok, ...Array.from({ length: 1_000 }, (_, i) => [`x-${i}`, 'a'] as const)])],
    gets: '502',
    asked: 1,
  },
];
