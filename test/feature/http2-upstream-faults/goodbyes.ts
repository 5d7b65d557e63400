import { answer, head, lastData } from '../../support/frame-upstream.ts';
import { always, closes, goodbye, part, sends, type FaultRow } from './fault-row.ts';

/** A POST that has no body: it changes something, so that only one that nobody has looked at may go again. */
const post = { method: 'POST' };

/** Nothing of a request has been looked at. */
const unseen = (stream: number): number => Math.max(0, stream - 2);

/** Connections that end, with a word before or without. */
export const goodbyes: readonly FaultRow[] = [
  {
    name: 'GOAWAY in place of an answer, which says that the request was not looked at',
    ask: post,
    onRequest: [sends((stream) => [goodbye(unseen(stream))])],
    gets: '200 ok',
    asked: 2,
    opened: 1,
  },
  {
    name: 'the same with an error',
    ask: post,
    onRequest: [sends((stream) => [goodbye(unseen(stream), 'ENHANCE_YOUR_CALM')])],
    gets: '200 ok',
    asked: 2,
    opened: 1,
    beside: 'cut',
  },
  {
    name: 'the same with an error by which streams are refused',
    ask: post,
    onRequest: [sends((stream) => [goodbye(unseen(stream), 'REFUSED_STREAM')])],
    gets: '200 ok',
    asked: 2,
    opened: 1,
    beside: 'cut',
  },
  {
    name: 'the same every time',
    ask: post,
    onRequest: always(sends((stream) => [goodbye(unseen(stream))])),
    gets: '502',
    asked: 6,
    opened: 5,
  },
  {
    name: 'the same every time, and none is tried again',
    service: { 'konghq.com/retries': '0' },
    onRequest: [sends((stream) => [goodbye(unseen(stream))])],
    gets: '502',
    asked: 1,
  },
  {
    name: 'GOAWAY that says that the request was looked at, then its answer',
    ask: post,
    onRequest: [sends((stream) => [goodbye(stream), head(stream), lastData(stream)])],
    gets: '200 ok',
    asked: 1,
  },
  {
    name: 'GOAWAY ahead of the one that counts, then the answer',
    ask: post,
    onRequest: [sends((stream) => [goodbye(0x7fffffff), goodbye(stream), head(stream), lastData(stream)])],
    gets: '200 ok',
    asked: 1,
  },
  {
    name: 'GOAWAY with an error, when the request may have been looked at',
    ask: post,
    onRequest: [sends((stream) => [goodbye(stream, 'INTERNAL_ERROR')])],
    gets: '502',
    asked: 1,
    beside: 'cut',
  },
  {
    name: 'the same with the error by which streams are refused',
    ask: post,
    onRequest: [sends((stream) => [goodbye(stream, 'REFUSED_STREAM')])],
    gets: '502',
    asked: 1,
    beside: 'cut',
  },
  {
    name: 'the same to a request that changes nothing',
    onRequest: [sends((stream) => [goodbye(stream, 'INTERNAL_ERROR')])],
    gets: '200 ok',
    asked: 2,
    opened: 1,
    beside: 'cut',
  },
  {
    name: 'GOAWAY amid an answer that goes on',
    onRequest: [sends((stream) => [head(stream), part(stream, 'o'), goodbye(stream), lastData(stream, 'k')])],
    gets: '200 ok',
    asked: 1,
  },
  {
    name: 'GOAWAY amid an answer, with an error',
    onRequest: [sends((stream) => [head(stream), part(stream, 'o'), goodbye(stream, 'PROTOCOL_ERROR')])],
    gets: 'cut',
    asked: 1,
    beside: 'cut',
  },
  {
    name: 'GOAWAY amid an answer that says that its request was not looked at',
    onRequest: [sends((stream) => [head(stream), part(stream, 'o'), goodbye(unseen(stream))])],
    gets: 'cut',
    asked: 1,
  },
  {
    name: 'GOAWAY behind an answer',
    onRequest: [sends((stream) => [head(stream), lastData(stream), goodbye(stream)])],
    gets: '200 ok',
    asked: 1,
  },
  {
    name: 'closes without a word',
    onRequest: [closes],
    gets: '200 ok',
    asked: 2,
    opened: 1,
    beside: 'cut',
  },
  {
    name: 'closes without a word to a request that changes something',
    ask: post,
    onRequest: [closes],
    gets: '502',
    asked: 1,
    beside: 'cut',
  },
  {
    name: 'resets the connection',
    onRequest: [({ socket }) => socket.resetAndDestroy()],
    gets: '200 ok',
    asked: 2,
    opened: 1,
    beside: 'cut',
  },
  {
    name: 'says nothing more and closes its side',
    onRequest: [({ socket }) => socket.end()],
    gets: '200 ok',
    asked: 2,
    opened: 1,
    beside: 'cut',
  },
  {
    name: 'closes every time',
    onRequest: always(closes),
    gets: '502',
    asked: 6,
    opened: 5,
    beside: 'cut',
  },
  {
    name: 'closes amid an answer',
    onRequest: [
      (connection, stream) => {
        connection.send(head(stream), part(stream, 'o'));
        connection.socket.end();
      },
    ],
    gets: 'cut',
    asked: 1,
    beside: 'cut',
  },
  {
    name: 'says nothing',
    limits: { 'konghq.com/read-timeout': '200' },
    onRequest: [() => undefined],
    gets: '504',
    asked: 1,
  },
  {
    name: 'says nothing behind a part of its answer',
    limits: { 'konghq.com/read-timeout': '200' },
    onRequest: [sends((stream) => [head(stream), part(stream, 'o')])],
    gets: 'cut',
    asked: 1,
  },
  { name: 'answers as it should', onRequest: [answer()], gets: '200 ok', asked: 1 },
];
