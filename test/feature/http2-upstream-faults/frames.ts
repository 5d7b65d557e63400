import { head, lastData } from '../../support/frame-upstream.ts';
import { flags, frame, setting, word } from '../../support/http2-frames.ts';
import { always, sends, type FaultRow } from './fault-row.ts';

const many = (count: number, one: Buffer): Buffer => Buffer.concat(Array.from({ length: count }, () => one));

/** Frames that break the connection off: the request may be sent again where it changes nothing. */
const broken: Readonly<Record<string, (stream: number) => readonly Buffer[]>> = {
  'a frame that is too large': (stream) => [frame('DATA', { stream }, Buffer.alloc(20_000))],
  'fields packed wrong': (stream) => [frame('HEADERS', { stream, flag: flags.END_HEADERS }, Buffer.from([0xff, 0xff]))],
  'a head on a stream that nobody opened': () => [head(99)],
  'DATA on a stream that nobody opened': () => [lastData(99)],
  'a reset of a stream that nobody opened': () => [frame('RST_STREAM', { stream: 99 }, word(0))],
  'DATA before any head': (stream) => [lastData(stream)],
  'an interim response, then DATA': (stream) => [head(stream, [[':status', '103']]), lastData(stream)],
  'SETTINGS that cannot be': () => [frame('SETTINGS', {}, setting(5, 1))],
  'a window that cannot be': () => [frame('WINDOW_UPDATE', {}, word(0x7fffffff))],
  'a frame amid a head': (stream) => [frame('HEADERS', { stream }), frame('PING', {}, Buffer.alloc(8))],
  'CONTINUATION without end': (stream) => [
    frame('HEADERS', { stream }),
    ...Array.from({ length: 20 }, () => frame('CONTINUATION', { stream }, Buffer.alloc(0))),
  ],
  'HTTP/1.1': () => [Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')],
};

export const frames: readonly FaultRow[] = [
  ...Object.entries(broken).flatMap(([name, framesFor]) => [
    {
      name: `${name}, once`,
      onRequest: [sends(framesFor)],
      gets: '200 ok',
      asked: 2,
      opened: 1,
      beside: 'cut' as const,
    },
    {
      name: `${name}, to a request that changes something`,
      ask: { method: 'POST' },
      onRequest: [sends(framesFor)],
      gets: '502',
      asked: 1,
      beside: 'cut' as const,
    },
  ]),
  {
    name: 'a frame that is too large, every time',
    onRequest: always(sends((stream) => [frame('DATA', { stream }, Buffer.alloc(20_000))])),
    gets: '502',
    asked: 6,
    opened: 5,
    beside: 'cut',
  },
  {
    name: 'frames of types that nobody knows',
    onRequest: [
      sends((stream) => [frame(0x42, { stream }, 'a'), head(stream), frame(0x43, {}, 'b'), lastData(stream)]),
    ],
    gets: '200 ok',
    asked: 1,
  },
  {
    name: 'hundreds of SETTINGS, then the answer',
    onRequest: [sends((stream) => [many(500, frame('SETTINGS')), head(stream), lastData(stream)])],
    gets: '200 ok',
    asked: 1,
  },
  {
    name: 'hundreds of PINGs, then the answer',
    onRequest: [sends((stream) => [many(500, frame('PING', {}, Buffer.alloc(8))), head(stream), lastData(stream)])],
    gets: '200 ok',
    asked: 1,
  },
  {
    name: 'hundreds of empty DATA amid the answer',
    onRequest: [sends((stream) => [head(stream), many(500, frame('DATA', { stream })), lastData(stream)])],
    gets: '200 ok',
    asked: 1,
  },
  {
    name: 'empty DATA without end',
    onRequest: [sends((stream) => [head(stream), many(5_000, frame('DATA', { stream }))])],
    gets: 'cut',
    asked: 1,
    beside: 'cut',
  },
  {
    name: 'an answer whose frames come byte by byte',
    onRequest: [
      ({ socket }, stream) => {
        const bytes = Buffer.concat([head(stream), lastData(stream)]);
        const sendFrom = (at: number): void => {
          if (at < bytes.byteLength) socket.write(bytes.subarray(at, at + 1), () => setImmediate(sendFrom, at + 1));
        };
        sendFrom(0);
      },
    ],
    gets: '200 ok',
    asked: 1,
  },
];
