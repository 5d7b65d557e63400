import { get, head, post, type RawCase } from './raw-case.ts';

const guarded = (key: string, body: string): string =>
  head('POST /guarded HTTP/1.1', 'Host: a', `apikey: ${key}`, 'Content-Length: 3', 'Expect: 100-continue') + body;

/** What a client waits for, and what it would switch to. */
export const expectations: readonly RawCase[] = [
  ['100-continue', post('abc', 'Content-Length: 3', 'Expect: 100-continue'), '100 200', ['abc', '!Expect']],
  ['100-Continue', post('abc', 'Content-Length: 3', 'Expect: 100-Continue'), '100 200', ['abc', '!Expect']],
  ['100-continue with a good key', guarded('bobs-key', 'abc'), '100 200', ['abc', 'X-Consumer-Username: bob']],
  ['100-continue with a wrong key', guarded('wrong', ''), '401 close'],
  ['another expectation', post('abc', 'Content-Length: 3', 'Expect: a-miracle'), '417 close'],
  ['a word before 100-continue', post('abc', 'Content-Length: 3', 'Expect: y 100-continue'), '417 close'],
  ['100-continue and another', post('abc', 'Content-Length: 3', 'Expect: 100-continue, x'), '417 close'],
  ['100-continue twice', post('abc', 'Content-Length: 3', 'Expect: 100-continue', 'Expect: 100-continue'), '417 close'],
  ['100-continue with a parameter', post('abc', 'Content-Length: 3', 'Expect: 100-continue;x'), '417 close'],
  ['200-ok', get('/', 'Expect: 200-ok'), '417 close'],
  ['an empty expectation', get('/', 'Expect:'), '417 close'],
  [
    'HTTP/1.0 has no expectations',
    head('POST / HTTP/1.0', 'Host: a', 'Content-Length: 3', 'Expect: 100-continue') + 'abc',
    '200 close',
    ['abc'],
  ],
  ['an upgrade to h2c is not made', get('/x', 'Connection: Upgrade', 'Upgrade: h2c'), '200 close', ['/x', '!pgrade']],
  [
    'an upgrade to TLS is not made',
    get('/x', 'Connection: Upgrade', 'Upgrade: TLS/1.2'),
    '200 close',
    ['/x', '!pgrade'],
  ],
  ['an upgrade that Connection does not name', get('/x', 'Upgrade: websocket'), '200', ['GET /x', '!pgrade']],
  ['an upgrade without a key', get('/guarded', 'Connection: Upgrade', 'Upgrade: websocket'), '401 close'],
  [
    'a POST that would upgrade',
    head('POST /x HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 3') + 'abc',
    '200 close',
    ['abc', '!pgrade'],
  ],
  ['an upgrade of a list', get('/x', 'Connection: Upgrade', 'Upgrade: h2c, websocket'), '200 close', ['/x', '!pgrade']],
];
