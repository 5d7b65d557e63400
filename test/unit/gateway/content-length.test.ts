import { expect, test } from 'vitest';
import { readContentLength } from '#gateway/content-length.ts';

test.each([
  ['0', 0],
  ['7', 7],
  ['0012', 12],
  ['1234567890', 1_234_567_890],
  ['999999999999999', 999_999_999_999_999],
])('%s are so many bytes', (text, bytes) => {
  expect(readContentLength(text)).toBe(bytes);
});

test.each(['', '1000000000000000', '-1', '+1', '1.0', '1e3', '0x10', ' 1', '1 ', '1,1', '١', '1\u0000', '/', ':'])(
  '%j is no length',
  (text) => {
    expect(readContentLength(text)).toBeUndefined();
  },
);

test('part of a longer text is read alike', () => {
  expect(readContentLength('Content-Length: 12345678901234\r\n'.slice(16, 30))).toBe(12_345_678_901_234);
});
