import { get, post, type RawCase } from './raw-case.ts';

/** What is too much is refused before anything of it is forwarded. */
export const sizes: readonly RawCase[] = [
  ['a head over 16 KiB', get('/', `X-A: ${'a'.repeat(17_000)}`), '431 close'],
  ['a target over 16 KiB', get(`/${'a'.repeat(17_000)}`), '431 close'],
  ['a target over 8 KiB', get(`/${'a'.repeat(9_000)}`), '414 close'],
  ['5,000 fields', get('/', ...Array.from({ length: 5_000 }, () => 'a:1')), '431 close'],
  ['900 fields', get('/', ...Array.from({ length: 900 }, () => 'a:1')), '431 close'],
  ['a name over 16 KiB', get('/', `${'a'.repeat(17_000)}: b`), '431 close'],
  [
    'trailers over 16 KiB',
    post(`0\r\nX-A: ${'a'.repeat(17_000)}\r\n\r\n`, 'Transfer-Encoding: chunked'),
    '431 close',
    ['!aaaa'],
  ],
  ['a head just under 16 KiB', get('/', `X-A: ${'a'.repeat(15_000)}`), '200', ['aaaa']],
];
