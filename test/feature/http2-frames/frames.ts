/** Frames that are not as RFC 9113 sections 4 to 6 have them, and fields that are not as RFC 7541 has them. */
import { fieldBlock, flags, frame, headers, requestHead, setting, word } from '../../support/http2-frames.ts';
import { block, data, ends, get, post, row } from './frame-row.ts';

/** A request that began may have gone on, and never its end. */
const begun = /^(?![^]*\r\n0\r\n)/;

const zero = word(0);
const half = frame('HEADERS', { stream: 1, flag: flags.END_STREAM }, fieldBlock(requestHead()));

/** The request before it may have gone on. */
const maybe = /^(?:GET [^]*)?$/;

/** Section 5.1: what may come on a stream in which state. */
const states = [
  row('DATA on no stream', [data('a', 0, 0)], ends('PROTOCOL_ERROR')),
  row('DATA on a stream that nobody opened', [data('a')], ends('PROTOCOL_ERROR')),
  row('DATA on a stream that its client has ended', [get(), data('a')], ends('STREAM_CLOSED'), maybe),
  row('HEADERS on no stream', [headers(0, requestHead())], ends('PROTOCOL_ERROR')),
  row('HEADERS on a stream of the server', [headers(2, requestHead())], ends('PROTOCOL_ERROR')),
  row(
    'a stream whose number goes back',
    [get([], 5), get([['a', 'b']], 3), get([], 7)],
    ['5: 200', '7: 200'],
    /^(?!.*\r\na: b)/s,
  ),
  row('HEADERS on a stream that its client has ended', [get(), get()], ends('STREAM_CLOSED'), maybe),
  row('PUSH_PROMISE of a client', [frame('PUSH_PROMISE', { stream: 1, flag: 4 }, zero)], ends('PROTOCOL_ERROR')),
  row('RST_STREAM on no stream', [frame('RST_STREAM', {}, zero)], ends('PROTOCOL_ERROR')),
  row('RST_STREAM on a stream that nobody opened', [frame('RST_STREAM', { stream: 1 }, zero)], ends('PROTOCOL_ERROR')),
  row('PING on a stream', [frame('PING', { stream: 1 }, Buffer.alloc(8))], ends('PROTOCOL_ERROR')),
  row('SETTINGS on a stream', [frame('SETTINGS', { stream: 1 })], ends('PROTOCOL_ERROR')),
  row('GOAWAY on a stream', [frame('GOAWAY', { stream: 1 }, Buffer.alloc(8))], ends('PROTOCOL_ERROR')),
];

/** Section 6.10: a head is one piece. */
const heads = [
  row('CONTINUATION of nothing', [frame('CONTINUATION', { stream: 1, flag: 4 })], ends('PROTOCOL_ERROR')),
  row('a frame amid a head', [half, frame('PING', {}, Buffer.alloc(8))], ends('PROTOCOL_ERROR')),
  row('CONTINUATION of another stream', [half, frame('CONTINUATION', { stream: 3, flag: 4 })], ends('PROTOCOL_ERROR')),
  row('another head amid a head', [half, get([], 3)], ends('PROTOCOL_ERROR')),
  row('a head in two pieces', [half, frame('CONTINUATION', { stream: 1, flag: 4 })], ['1: 200'], /^GET \/ /),
];

/** Section 4.2 and each frame's own section. */
const sizes = [
  row('a frame beyond SETTINGS_MAX_FRAME_SIZE', [post(), data(Buffer.alloc(16_385))], ends('FRAME_SIZE_ERROR'), begun),
  row('PING of seven bytes', [frame('PING', {}, Buffer.alloc(7))], ends('FRAME_SIZE_ERROR')),
  row('SETTINGS of five bytes', [frame('SETTINGS', {}, Buffer.alloc(5))], ends('FRAME_SIZE_ERROR')),
  row(
    'an acknowledgement that says more',
    [frame('SETTINGS', { flag: flags.ACK }, setting(4, 1))],
    ends('FRAME_SIZE_ERROR'),
  ),
  row(
    'RST_STREAM of three bytes',
    [post(), frame('RST_STREAM', { stream: 1 }, Buffer.alloc(3))],
    ends('FRAME_SIZE_ERROR'),
    begun,
  ),
  row('WINDOW_UPDATE of three bytes', [frame('WINDOW_UPDATE', {}, Buffer.alloc(3))], ends('FRAME_SIZE_ERROR')),
  row('GOAWAY of seven bytes', [frame('GOAWAY', {}, Buffer.alloc(7))], ends('FRAME_SIZE_ERROR')),
  row('PRIORITY of four bytes', [frame('PRIORITY', { stream: 1 }, zero)], ends('FRAME_SIZE_ERROR')),
  row(
    'padding that is longer than its frame',
    [post(), data(Buffer.from([9, 1]), flags.PADDED)],
    ends('PROTOCOL_ERROR'),
    begun,
  ),
  row('padding without its length', [post(), data('', flags.PADDED)], ends('PROTOCOL_ERROR'), begun),
];

/** Sections 6.5.2 and 6.9. */
const windows = [
  row('WINDOW_UPDATE by nothing', [frame('WINDOW_UPDATE', {}, zero)], ends('PROTOCOL_ERROR')),
  row(
    'WINDOW_UPDATE of a stream by nothing',
    [post(), frame('WINDOW_UPDATE', { stream: 1 }, zero)],
    ends('PROTOCOL_ERROR'),
    begun,
  ),
  row(
    'WINDOW_UPDATE of a stream that nobody opened',
    [frame('WINDOW_UPDATE', { stream: 1 }, word(1))],
    ends('PROTOCOL_ERROR'),
  ),
  row('a window beyond 2^31-1', [frame('WINDOW_UPDATE', {}, word(2 ** 31 - 1))], ends('FLOW_CONTROL_ERROR')),
  row(
    "a stream's window beyond 2^31-1",
    [post(), frame('WINDOW_UPDATE', { stream: 1 }, word(2 ** 31 - 1))],
    ends('FLOW_CONTROL_ERROR'),
    begun,
  ),
  row(
    'SETTINGS_INITIAL_WINDOW_SIZE beyond 2^31-1',
    [frame('SETTINGS', {}, setting(4, 2 ** 31))],
    ends('FLOW_CONTROL_ERROR'),
  ),
  row('SETTINGS_MAX_FRAME_SIZE below the least', [frame('SETTINGS', {}, setting(5, 100))], ends('PROTOCOL_ERROR')),
  row('SETTINGS_ENABLE_PUSH that is no yes or no', [frame('SETTINGS', {}, setting(2, 2))], ends('PROTOCOL_ERROR')),
];

/** RFC 7541: a field that cannot be read leaves the table of fields unknown. */
const fields = [
  row('the index 0', [block([0x80])], ends('COMPRESSION_ERROR')),
  row('an index beyond the table', [block([0xff, 0x80, 0x01])], ends('COMPRESSION_ERROR')),
  row(
    'a table larger than was agreed',
    [frame('HEADERS', { stream: 1, flag: 5 }, Buffer.from([0x3f, 0xe1, 0xff, 0x03]))],
    ends('COMPRESSION_ERROR'),
  ),
  row('a size of the table amid fields', [block([0x20])], ends('COMPRESSION_ERROR')),
  row('a field that is cut', [block([0x00, 0x05, 0x61])], ends('COMPRESSION_ERROR')),
  row(
    'a number without end',
    [block([0x00, 0x7f, ...Array.from({ length: 20 }, () => 0xff)])],
    ends('COMPRESSION_ERROR'),
  ),
  row('a code of Huffman that is none', [block([0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00])], ends('COMPRESSION_ERROR')),
];

/** What nobody need understand is passed over. */
const unknown = [
  row('a frame of an unknown type', [frame(200, { stream: 9, flag: 255 }, 'x'), get()], ['1: 200'], /^GET \/ /),
  row('a setting that nobody knows', [frame('SETTINGS', {}, setting(99, 1)), get()], ['1: 200'], /^GET \/ /),
  row('flags that mean nothing', [frame('PING', { flag: 0xfe }, Buffer.alloc(8)), get()], ['1: 200'], /^GET \/ /),
];

export const frameRows = [...states, ...heads, ...sizes, ...windows, ...fields, ...unknown];
