import { head, lastData } from '../../support/frame-upstream.ts';
import { always, echo, part, reset, sends, type Code, type FaultRow } from './fault-row.ts';

const ofLength = [
  [':status', '200'],
  ['content-length', '2'],
] as const;

const inPlace: readonly Code[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'STREAM_CLOSED',
  'CANCEL',
  'ENHANCE_YOUR_CALM',
  'HTTP_1_1_REQUIRED',
];
const amid: readonly Code[] = [...inPlace, 'REFUSED_STREAM'];

/** Streams that are reset. */
export const resets: readonly FaultRow[] = [
  ...inPlace.map((code) => ({
    name: `${code} in place of an answer`,
    onRequest: [sends((stream) => [reset(stream, code)])],
    gets: '502',
    asked: 1,
  })),
  {
    name: 'REFUSED_STREAM, once, to a request that changes something',
    ask: { method: 'POST' },
    onRequest: [sends((stream) => [reset(stream, 'REFUSED_STREAM')])],
    gets: '200 ok',
    asked: 2,
    opened: 1,
  },
  {
    name: 'REFUSED_STREAM, once, to a request whose body went on as it came',
    ask: { method: 'POST', body: 'hello' },
    onRequest: [sends((stream) => [reset(stream, 'REFUSED_STREAM')]), echo],
    gets: '200 hello',
    asked: 2,
    opened: 1,
  },
  {
    name: 'REFUSED_STREAM, once, to a request of more than is kept',
    ask: { method: 'POST', body: 'a'.repeat(200_000) },
    onRequest: [sends((stream) => [reset(stream, 'REFUSED_STREAM')])],
    gets: '502',
    asked: 1,
  },
  {
    name: 'REFUSED_STREAM, once, to a request whose body was read whole before',
    ask: { method: 'POST', body: 'hello' },
    route: { 'konghq.com/request-buffering': 'true' },
    onRequest: [sends((stream) => [reset(stream, 'REFUSED_STREAM')])],
    gets: '200 ok',
    asked: 2,
    opened: 1,
  },
  {
    name: 'REFUSED_STREAM every time',
    ask: { method: 'POST' },
    onRequest: always(sends((stream) => [reset(stream, 'REFUSED_STREAM')])),
    gets: '502',
    asked: 6,
    opened: 1,
  },
  ...amid.map((code) => ({
    name: `${code} amid an answer`,
    onRequest: [sends((stream) => [head(stream), part(stream, 'o'), reset(stream, code)])],
    gets: 'cut',
    asked: 1,
  })),
  ...(['NO_ERROR', 'REFUSED_STREAM'] as const).map((code) => ({
    name: `${code} behind a head alone`,
    onRequest: [sends((stream) => [head(stream), reset(stream, code)])],
    gets: 'cut',
    asked: 1,
  })),
  {
    name: 'NO_ERROR amid an answer that states its length',
    onRequest: [sends((stream) => [head(stream, ofLength), part(stream, 'o'), reset(stream, 'NO_ERROR')])],
    gets: 'cut',
    asked: 1,
  },
  {
    name: 'NO_ERROR behind all that an answer states, in place of its end',
    onRequest: [sends((stream) => [head(stream, ofLength), part(stream, 'ok'), reset(stream, 'NO_ERROR')])],
    gets: '200 ok',
    asked: 1,
  },
  {
    name: 'NO_ERROR behind a whole answer',
    onRequest: [sends((stream) => [head(stream), lastData(stream), reset(stream, 'NO_ERROR')])],
    gets: '200 ok',
    asked: 1,
  },
  {
    name: 'NO_ERROR behind a whole answer, when the body is not there yet',
    ask: { method: 'POST', body: 'hello' },
    onHead: [sends((stream) => [head(stream), lastData(stream), reset(stream, 'NO_ERROR')])],
    onRequest: [() => undefined],
    gets: '200 ok',
    asked: 1,
  },
];
