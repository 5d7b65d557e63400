/** Requests that are malformed (RFC 9113 section 8), or that the guard refuses as it does over HTTP/1.1. */
import { fieldBlock, flags, frame, headers, requestHead } from '../../support/http2-frames.ts';
import { bare, data, get, next, post, resets, row, type FrameRow } from './frame-row.ts';

const malformed = (what: string, fields: readonly (readonly [string, string])[]): FrameRow =>
  row(what, [bare(fields), next], resets('PROTOCOL_ERROR'));
const withField = (what: string, name: string, value: string): FrameRow =>
  malformed(what, [...requestHead(), [name, value]]);
const without = (name: string): [string, string][] => requestHead().filter(([field]) => field !== name);

/** nghttp2 leaves out a field that no message may have, before anybody sees the request. */
const leftOut = (what: string, name: string, value: string): FrameRow =>
  row(what, [get([[name, value]])], ['1: 200'], /^(?![^]*odd)GET \//);

/** Section 8.2. */
const fields = [
  withField('a name in capitals', 'X-A', 'b'),
  leftOut('an empty name', '', 'odd'),
  leftOut('a name with a space', 'a b', 'odd'),
  leftOut('a name with a colon', 'a:b', 'odd'),
  leftOut('a name beyond ASCII', 'a\xff', 'odd'),
  leftOut('a value with a NUL', 'a', 'b\0odd'),
  leftOut('a value with CR LF', 'a', 'b\r\nodd: y'),
  leftOut('a value with LF', 'a', 'b\nodd'),
  leftOut('a value that begins with a space', 'a', ' odd'),
  leftOut('a value that ends with a tab', 'a', 'odd\t'),
  withField('Connection', 'connection', 'close'),
  withField('Connection that names a field', 'connection', 'apikey'),
  withField('Transfer-Encoding', 'transfer-encoding', 'chunked'),
  withField('Keep-Alive', 'keep-alive', 'timeout=5'),
  withField('Proxy-Connection', 'proxy-connection', 'keep-alive'),
  withField('Upgrade', 'upgrade', 'websocket'),
  withField('TE other than trailers', 'te', 'gzip'),
  row('TE: trailers', [get([['te', 'trailers']])], ['1: 200'], /\r\nte: trailers\r\n/i),
];

/** Section 8.3. */
const pseudo = [
  malformed('no method', without(':method')),
  malformed('no scheme', without(':scheme')),
  malformed('no path', without(':path')),
  malformed('an empty path', requestHead('')),
  malformed('a path without a slash', requestHead('a')),
  malformed('a whole URL as the path', requestHead('http://a/')),
  malformed('the path * of GET', requestHead('*')),
  malformed('two methods', [...requestHead(), [':method', 'POST']]),
  malformed('two paths', [...requestHead(), [':path', '/b']]),
  malformed('two authorities', [...requestHead(), [':authority', 'b']]),
  malformed('a pseudo-header behind a field', [...without(':path'), ['a', 'b'], [':path', '/']]),
  malformed('a pseudo-header that is none', [...requestHead(), [':a', 'b']]),
  malformed('a pseudo-header of answers', [...requestHead(), [':status', '200']]),
  malformed(':protocol, which was not offered', [
    ...requestHead('/', { method: 'CONNECT' }),
    [':protocol', 'websocket'],
  ]),
  malformed('CONNECT with a path', requestHead('/', { method: 'CONNECT' })),
  malformed('a method with a space', requestHead('/', { method: 'GET /x' })),
  malformed('a path with a space', requestHead('/a b')),
  malformed('a path with CR LF', requestHead('/ HTTP/1.1\r\nx: y')),
  malformed('an authority with a space', requestHead('/', { authority: 'a b' })),
  row(
    'CONNECT',
    [
      bare([
        [':method', 'CONNECT'],
        [':authority', 'a:80'],
      ]),
      next,
    ],
    ['1: 405', '3: 200'],
  ),
  row('OPTIONS *', [bare(requestHead('*', { method: 'OPTIONS' })), next], ['1: 400', '3: 200']),
  row('TRACE', [bare(requestHead('/', { method: 'TRACE' })), next], ['1: 405', '3: 200']),
  row('a user in the authority', [bare(requestHead('/', { authority: 'u@a' })), next], resets('PROTOCOL_ERROR')),
  row('an authority and another Host', [get([['host', 'b']]), next], ['1: 400', '3: 200']),
  row(
    'an authority and two Hosts',
    [
      get([
        ['host', 'a'],
        ['host', 'b'],
      ]),
      next,
    ],
    resets('PROTOCOL_ERROR'),
  ),
  row('an authority and the same Host', [get([['host', 'A']])], ['1: 200'], /\r\nHost: a\r\n/),
  row('Host alone', [bare([...without(':authority'), ['host', 'a']])], ['1: 200'], /\r\nHost: a\r\n/),
];

/** Section 8.1.1: the length that is stated is that of the DATA. */
const ofLength = (length: string): Buffer => post([['content-length', length]]);
const lengths = [
  row('a length, and no body', [get([['content-length', '1']]), next], resets('PROTOCOL_ERROR')),
  // Node ends the connection for it.
  row('a body longer than its length', [ofLength('1'), data('ab', flags.END_STREAM)], ['closed'], /^(?![^]*ab)/),
  row(
    'a body shorter than its length',
    [ofLength('3'), data('ab', flags.END_STREAM), next],
    resets('PROTOCOL_ERROR'),
    /(?:ab)?$/,
  ),
  row(
    'a body without a length it was said to have',
    [ofLength('3'), data('', flags.END_STREAM), next],
    resets('PROTOCOL_ERROR'),
    /$/,
  ),
  row('a length that is no number', [ofLength('1a'), next], resets('PROTOCOL_ERROR')),
  row('a length with a sign', [ofLength('+1'), next], resets('PROTOCOL_ERROR')),
  row(
    'two lengths',
    [
      post([
        ['content-length', '1'],
        ['content-length', '2'],
      ]),
      next,
    ],
    resets('PROTOCOL_ERROR'),
  ),
  row('a length beyond all numbers', [ofLength('9'.repeat(30)), next], resets('PROTOCOL_ERROR')),
];

const trailers = (list: readonly (readonly [string, string])[], flag: number = flags.END_STREAM): Buffer =>
  headers(1, list, flag);
const behind = [
  row(
    'trailers with a pseudo-header',
    [post(), data('ab'), trailers([[':path', '/b']]), next],
    resets('PROTOCOL_ERROR'),
    /^(?!.*\r\n0\r\n)/s,
  ),
  row(
    'trailers that do not end the stream',
    [post(), data('ab'), trailers([['a', 'b']], 0), next],
    resets('PROTOCOL_ERROR'),
    /^(?!.*\r\n0\r\n)/s,
  ),
  row(
    'trailers with a name in capitals',
    [post(), data('ab'), trailers([['X-A', 'b']]), next],
    resets('PROTOCOL_ERROR'),
    /^(?!.*\r\n0\r\n)/s,
  ),
  row('DATA behind trailers', [post(), trailers([['a', 'b']]), data('ab')], ['GOAWAY STREAM_CLOSED', 'closed'], /^/),
];

/** What one request becomes over HTTP/1.1. */
const translated = [
  row(
    'cookies in crumbs are one',
    [
      get([
        ['cookie', 'a=b'],
        ['cookie', 'c=d'],
      ]),
    ],
    ['1: 200'],
    /\r\ncookie: a=b; c=d\r\n/i,
  ),
  row(
    'fields of the connection before',
    [
      get([
        ['http2-settings', 'AA'],
        ['trailer', 'x'],
      ]),
    ],
    ['1: 200'],
    /^(?!.*(?:http2-settings|trailer))/is,
  ),
  row(
    'padding and priority',
    [
      frame(
        'HEADERS',
        { stream: 1, flag: 0x2d },
        Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 15]), headers(1, requestHead()).subarray(9), Buffer.alloc(2)]),
      ),
    ],
    ['1: 200'],
    /^GET \/ /,
  ),
  row(
    'padding of a body',
    [post(), data(Buffer.from([3, 97, 98, 0, 0, 0]), flags.PADDED | flags.END_STREAM)],
    ['1: 200'],
    /2\r\nab\r\n0\r\n\r\n/,
  ),
];

/** docs/limits.md */
export const many = (count: number, value = '1'): [string, string][] =>
  Array.from({ length: count }, (_, i) => [`x-${i}`, value]);
/** A head of more than one frame. */
export function inFrames(list: readonly (readonly [string, string])[]): Buffer[] {
  const bytes = fieldBlock(list);
  const most = 16_384;
  return Array.from({ length: Math.ceil(bytes.byteLength / most) }, (_, i) => {
    const isLast = (i + 1) * most >= bytes.byteLength;
    const flag = (i === 0 ? flags.END_STREAM : 0) | (isLast ? flags.END_HEADERS : 0);
    return frame(i === 0 ? 'HEADERS' : 'CONTINUATION', { stream: 1, flag }, bytes.subarray(i * most, (i + 1) * most));
  });
}
const limits = [
  row('250 fields', [get(many(246))], ['1: 200'], /x-245/),
  row('more fields than a head may have', [get(many(260)), next], ['1: 431', '3: 200']),
  row('four times as many', [get(many(1_100)), next], resets('ENHANCE_YOUR_CALM')),
  row(
    'a head that is too long',
    [...inFrames(requestHead().concat(many(3, 'a'.repeat(8_000)))), next],
    ['1: 431', '3: 200'],
  ),
  row(
    'a head that is far too long',
    [...inFrames(requestHead().concat(many(3, 'a'.repeat(30_000)))), next],
    ['1: 431', '3: 200'],
  ),
  row('a target that is too long', [bare(requestHead(`/${'a'.repeat(9_000)}`)), next], ['1: 414', '3: 200']),
  row(
    'one stream more than there may be',
    [...Array.from({ length: 100 }, (_, i) => post([], 2 * i + 1)), get([], 201)],
    ['201: REFUSED_STREAM'],
    /^(?![^]*GET )/,
  ),
];

export const messageRows = [...fields, ...pseudo, ...lengths, ...behind, ...translated, ...limits];
