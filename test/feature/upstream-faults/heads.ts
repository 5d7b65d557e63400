import { answer, inPieces, thenClose, type FaultRow } from './fault-row.ts';

/** An answer that is no answer: it is not tried again, since the request has been read. */
const refused = (name: string, bytes: string): FaultRow => ({
  name,
  onRequest: [bytes],
  gets: '502',
  asked: 1,
  pool: 'fresh',
});
const withField = (field: string): string => answer('ok', `Content-Length: 2\r\n${field}`);
const kibibytes = (count: number): string => 'a'.repeat(count * 1024);

/** Heads that may not be trusted, or never end. */
export const heads: readonly FaultRow[] = [
  { name: 'ends amid the status line', onRequest: [thenClose('HTTP/1.1 20')], gets: '502', asked: 1, pool: 'fresh' },
  { name: 'ends amid a field', onRequest: [thenClose('HTTP/1.1 200 OK\r\nX-')], gets: '502', asked: 1, pool: 'fresh' },
  {
    name: 'ends before the empty line',
    onRequest: [thenClose('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n')],
    gets: '502',
    asked: 1,
    pool: 'fresh',
  },
  {
    name: 'ends behind an interim response',
    onRequest: [thenClose('HTTP/1.1 103 Early Hints\r\n\r\n')],
    gets: '502',
    asked: 1,
    pool: 'fresh',
  },
  { name: 'answers as HTTP/0.9', onRequest: [thenClose('<html></html>')], gets: '502', asked: 1, pool: 'fresh' },
  refused('speaks another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'),
  refused('HTTP/1.2', 'HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  refused('HTTP/2.0', 'HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  refused('http in lower case', 'http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  refused('a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok'),
  refused('a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok'),
  refused('the status 999', 'HTTP/1.1 999 OK\r\nContent-Length: 2\r\n\r\nok'),
  refused('the status 099', 'HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok'),
  refused('a status in words', 'HTTP/1.1 OK 200\r\nContent-Length: 2\r\n\r\nok'),
  refused('an empty line before the status line', `\r\n${answer('ok')}`),
  refused('bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok\r\n\r\n'),
  refused('a bare carriage return in a value', withField('X-A: b\rX-B: c')),
  refused('NUL in a value', withField('X-A: b\0c')),
  refused('a control character in a value', withField('X-A: \x01')),
  refused('NUL in the reason', 'HTTP/1.1 200 O\0K\r\nContent-Length: 2\r\n\r\nok'),
  refused('a space before the colon', withField('X-A : b')),
  refused('a space in a name', withField('X A: b')),
  refused('a field without a colon', withField('X-A')),
  refused('a field without a name', withField(': b')),
  refused('a folded field', withField('X-A: b\r\n c')),
  refused('a head that is too large', withField(`X-A: ${kibibytes(20)}`)),
  refused('a head without end', `HTTP/1.1 200 OK\r\nX-A: ${kibibytes(64)}`),
  refused('fields without end', `HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(10_000)}`),
  refused(
    'a switch of protocols that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  ),
  refused('interim responses without end', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(40)),
  refused('an interim response of HTTP/1.0', `HTTP/1.0 103 Early Hints\r\n\r\n${answer('ok')}`),
  refused('an interim response with a body', `HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nhi${answer('ok')}`),
  {
    name: 'a head without end, piece by piece',
    onRequest: [inPieces('HTTP/1.1 200 OK\r\n', ...Array.from({ length: 40 }, () => `X-A: ${kibibytes(1)}\r\n`))],
    gets: '502',
    asked: 1,
    pool: 'fresh',
  },
  {
    name: 'no reason',
    onRequest: ['HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok'],
    gets: '200 ok',
    asked: 1,
    pool: 'kept',
  },
  {
    name: 'bytes beyond ASCII in a value',
    onRequest: [withField('X-A: \xe4')],
    gets: '200 ok',
    asked: 1,
    pool: 'kept',
  },
  {
    name: 'interim responses before it',
    onRequest: [`${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(5)}${answer('hi')}`],
    gets: '200 hi',
    asked: 1,
    pool: 'kept',
  },
];
