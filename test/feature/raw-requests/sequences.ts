import { get, head, post, type RawCase } from './raw-case.ts';

const poisoned = `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n`;
const upgrade = (path: string, to: string): string => get(path, 'Connection: Upgrade', `Upgrade: ${to}`);
const chunked = head('POST /c HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked');

/** Several requests on one connection: each has its own answer, and what is broken spoils nothing before it. */
export const sequences: readonly RawCase[] = [
  ['two at once', get('/1') + get('/2'), '200 200', ['GET /1 ', 'GET /2 ']],
  [
    'ten at once',
    Array.from({ length: 10 }, (_, i) => get(`/${i}`)).join(''),
    '200 '.repeat(10).trim(),
    ['/0 ', '/9 '],
  ],
  [
    'bodies at once',
    post('abc', 'Content-Length: 3') + chunked + '1\r\nx\r\n0\r\n\r\n' + get('/2'),
    '200 200 200',
    ['/2 '],
  ],
  [
    'an upgrade that does not wait for the answer before it',
    get('/1') + upgrade('/2', 'websocket') + get('/3'),
    '200 200 close',
    ['/1 ', '/2 ', '!/3 '],
  ],
  [
    'a body behind an upgrade that is not made',
    [upgrade('/1', 'h2c') + head('POST /2 HTTP/1.1', 'Host: a', `Content-Length: ${get('/3').length}`), get('/3')],
    '200 close',
    ['/1 ', '!/2 ', '!/3 '],
  ],
  [
    'a body behind an upgrade with a body that is not made',
    [
      post('abc', 'Content-Length: 3', 'Connection: Upgrade', 'Upgrade: h2c') +
        head('POST /2 HTTP/1.1', 'Host: a', `Content-Length: ${get('/3').length}`),
      get('/3'),
    ],
    '200 close',
    ['abc', '!/2 ', '!/3 '],
  ],
  [
    'CONNECT behind others',
    get('/1') + get('/2') + head('CONNECT a:1 HTTP/1.1', 'Host: a:1'),
    '200 200 405 close',
    ['/2 '],
  ],
  ['a refusal between', get('/1') + get('/guarded') + get('/2'), '200 401 200', ['GET /1 ', 'GET /2 ', '!guarded']],
  ['a refusal, then a broken one', get('/guarded') + poisoned, '401 400 close'],
  ['a refusal, then one with two Hosts', get('/guarded') + get('/2', 'Host: b'), '401 400 close'],
  [
    'refusals around, then a broken body',
    get('/guarded') + get('/1') + get('/guarded') + chunked + 'zz\r\n',
    '401 200 401 400 close',
    ['/1 ', '!guarded', '!0\r\n\r\n'],
  ],
  ['a refusal that is the last', get('/guarded', 'Connection: close') + get('/2'), '401 close'],
  ['a good one, then a broken one', get('/1') + poisoned, '200 400 close', ['GET /1 ', '!GET / ']],
  ['a broken one, then a good one', poisoned + get('/1'), '400 close'],
  [
    'two good ones, a broken one, a good one',
    get('/1') + get('/2') + poisoned + get('/3'),
    '200 200 400 close',
    ['/1 ', '/2 ', '!/3 '],
  ],
  [
    'a good one, then one with two meanings',
    get('/1') + post('0\r\n\r\n', 'Transfer-Encoding: gzip, chunked') + get('/3'),
    '200 501 close',
    ['/1 ', '!/3 '],
  ],
  [
    'a good one, then one with two Hosts',
    get('/1') + get('/2', 'Host: b') + get('/3'),
    '200 400 close',
    ['/1 ', '!/2 ', '!/3 '],
  ],
  [
    'a good one, then a broken body',
    get('/1') + chunked + 'zz\r\n' + get('/3'),
    '200 400 close',
    ['/1 ', '!/3 ', '!0\r\n\r\n'],
  ],
  [
    'a refused one with a body',
    head('POST /guarded HTTP/1.1', 'Host: a', 'Content-Length: 60') + get('/1'),
    '401 close',
  ],
  [
    'a body of a GET is no request',
    get('/1', 'Content-Length: 35') + get('/smuggled'),
    '200',
    ['GET /1 ', '\r\n\r\nGET /smuggled'],
  ],
  ['the last one', get('/1', 'Connection: close') + get('/2'), '200 close', ['/1 ', '!/2 ']],
  ['bytes that belong to nobody', post('abcdef', 'Content-Length: 3') + '\r\n\r\n', '200 400 close', ['abc', '!def']],
  ['half a head, then the rest', [get('/1').slice(0, 9), get('/1').slice(9)], '200', ['GET /1 ']],
  ['half a chunk, then the rest', [`${chunked}4\r\nab`, 'cd\r\n', '0\r\n\r\n'], '200', ['POST /c ']],
  ['half a chunk, then a broken one', [`${chunked}4\r\nab`, 'cdef\r\n0\r\n\r\n'], '400 close', ['!0\r\n\r\n']],
];
