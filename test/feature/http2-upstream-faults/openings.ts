import { serverPreface, type FrameConnection } from '../../support/frame-upstream.ts';
import { frame, setting } from '../../support/http2-frames.ts';
import { always, closes, goodbye, type FaultRow } from './fault-row.ts';

const http1 = ({ socket }: FrameConnection): void =>
  void socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
const once = { 'konghq.com/retries': '0' };
const impatient = { 'konghq.com/connect-timeout': '200' };
const silence = (connection: FrameConnection): void => void (connection.isAlive = false);

/** How connections begin: nothing of a request is sent before the upstream has spoken HTTP/2. */
export const openings: readonly FaultRow[] = [
  { name: 'speaks HTTP/1.1', onConnection: always(http1), gets: '502', asked: 0, opened: 6 },
  {
    name: 'speaks HTTP/1.1 at first',
    onConnection: [http1],
    ask: { method: 'POST' },
    gets: '200 ok',
    asked: 1,
    opened: 2,
  },
  {
    name: 'speaks HTTP/1.1 at first, to a request with a body',
    onConnection: [http1],
    ask: { method: 'POST', body: 'hello' },
    gets: '200 ok',
    asked: 1,
    opened: 2,
  },
  { name: 'closes every connection at once', onConnection: always(closes), gets: '502', asked: 0, opened: 6 },
  {
    name: 'says goodbye at once',
    onConnection: always(({ send }: FrameConnection) => send(serverPreface(), goodbye(0))),
    gets: '502',
    asked: 0,
    opened: 6,
  },
  {
    name: 'says nothing',
    service: once,
    limits: impatient,
    onConnection: [silence],
    gets: '504',
    asked: 0,
    opened: 1,
    isGivenUp: true,
  },
  {
    name: 'begins with a frame that is not SETTINGS',
    onConnection: [({ send }) => send(frame('PING', {}, Buffer.alloc(8)))],
    gets: '200 ok',
    asked: 1,
    opened: 2,
  },
  {
    name: 'takes no stream at all',
    service: once,
    limits: impatient,
    onConnection: always(({ send }: FrameConnection) => send(serverPreface(setting(3, 0)))),
    gets: '504',
    asked: 0,
    opened: 2,
    isLasting: true,
  },
  {
    name: 'opens no window for a body',
    limits: { 'konghq.com/read-timeout': '200', 'konghq.com/write-timeout': '200' },
    onConnection: [({ send }) => send(serverPreface(setting(4, 0)))],
    ask: { method: 'POST', body: 'hello' },
    gets: '504',
    asked: 1,
    opened: 1,
  },
  { name: 'speaks HTTP/2 over TLS', alpn: 'h2', gets: '200 ok', asked: 1, opened: 1 },
  { name: 'speaks HTTP/2 over TLS without having agreed on it', alpn: 'none', gets: '200 ok', asked: 1, opened: 1 },
  {
    name: 'speaks HTTP/1.1 over TLS without having agreed on it',
    alpn: 'none',
    onConnection: always(http1),
    gets: '502',
    asked: 0,
    opened: 6,
  },
  { name: 'agrees on HTTP/1.1 alone over TLS', alpn: 'http/1.1', gets: '502', asked: 0, opened: 0, isLasting: true },
];
