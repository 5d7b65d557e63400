import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalizePath, usualPathRules, type PathRules } from '#table/normalize-path.ts';

test.for([
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/%66oo', '/foo'],
  ['/a%2fb', '/a%2Fb'],
  ['/a%20b', '/a%20b'],
  ['//a///b', '/a/b'],
  ['/a/./b/../c', '/a/c'],
  ['/a/%2e%2E/b', '/b'],
  ['/../../a', '/a'],
  ['/a/..', '/'],
  ['/a/.', '/a/'],
  ['/%252e%252e/a', '/%252e%252e/a'],
  ['/.well-known/x', '/.well-known/x'],
  ['/a..b/...', '/a..b/...'],
  ['/caf%C3%A9', '/caf%C3%A9'],
  ['/caf\u00c3\u00a9', '/caf%C3%A9'],
  ['/a{b}|"', '/a%7Bb%7D%7C%22'],
  ['/a;b', '/a;b'],
] as const)('%s becomes %s', ([path, expected]) => {
  expect(normalizePath(path)).toMatchObject({ path: expected });
});

test.for([
  ['/a%00', 'nul'],
  [String.raw`/a\b`, 'backslash'],
  ['/a%5Cb', 'backslash'],
  ['/a#b', 'fragment'],
  ['/a%2', 'encoding'],
  ['/a%zz', 'encoding'],
  ['/a b', 'control'],
  ['/a/..;/b', 'dot-segment'],
  ['/a/.;x=1/b', 'dot-segment'],
  ['/a/%2e%2e;/b', 'dot-segment'],
  ['/a/..%2Fb', 'dot-segment'],
  ['/a%2f./b', 'dot-segment'],
  ['/a%2F..', 'dot-segment'],
  ['/%c0%ae%c0%ae/a', 'encoding'],
  ['/%E0%80%AE', 'encoding'],
  ['/%F0%82%82%AC', 'encoding'],
  ['/%ff', 'encoding'],
] as const)('%s is refused: %s', ([path, fault]) => {
  expect(normalizePath(path)).toEqual({ fault });
});

const piece = fc.constantFrom('/', '.', '..', '%2e', '%2E', '%2f', '%41', 'a', 'b', ';', '%', '%25', '\\', '//', 'é');

test('what is normal stays so, and has no dot segment and no double slash', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const normal = normalizePath(`/${pieces.join('')}`);
      if ('fault' in normal) return;
      expect(normalizePath(normal.path)).toEqual(normal);
      expect(normal.path.split('/').filter((segment) => segment === '.' || segment === '..')).toEqual([]);
      expect(normal.path).not.toContain('//');
      expect(normal.path.startsWith('/')).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test('a hostile path costs no more than its length', () => {
  const path = `/${'a'.repeat(8_000)}%`;
  expect(normalizePath(path)).toEqual({ fault: 'encoding' });
  expect(normalizePath(`/${'a/'.repeat(4_000)}%00`)).toEqual({ fault: 'nul' });
});

describe('what another server may read', () => {
  test.for([
    ['/a', undefined],
    ['/a%20b', undefined],
    ['/caf%C3%A9', undefined],
    ['/%40admin', '/@admin'],
    ['/a%2Fb', '/a/b'],
    ['/%2561', '/a'],
    ['/%252561', '/a'],
    ['/a;x=1/b;y', '/a/b'],
    ['/a%3Bx/b', '/a/b'],
    ['/a%3Fb', '/a'],
    ['/a%23b', '/a'],
    ['/a/%252e%252e/b', '/b'],
    ['/a%252F..%252Fb', '/b'],
    ['/a%2Fb%20c', '/a/b%20c'],
  ] as const)('of %s is %s', ([path, expected]) => {
    const normal = normalizePath(path);
    expect('fault' in normal ? normal : normal.otherReading).toBe(expected);
  });
});

describe('by other rules', () => {
  const decode: PathRules = { ...usualPathRules, encodedSlash: 'decode' };
  const encode: PathRules = { ...usualPathRules, oddCharacters: 'encode' };
  const apart: PathRules = { ...usualPathRules, mergesSlashes: false };
  test.for<[string, PathRules, object]>([
    ['/a%2fb', { ...usualPathRules, encodedSlash: 'refuse' }, { fault: 'slash' }],
    ['/a%2Fb', decode, { path: '/a/b' }],
    ['/a/..%2Fb', decode, { path: '/b' }],
    ['/a%2f%2fb', decode, { path: '/a/b' }],
    [String.raw`/a\b`, encode, { path: '/a%5Cb', otherReading: '/a/b' }],
    ['/a%5cb', encode, { path: '/a%5Cb', otherReading: '/a/b' }],
    ['/a#b', encode, { path: '/a%23b', otherReading: '/a' }],
    ['/a%00b', encode, { path: '/a%00b', otherReading: '/a' }],
    [String.raw`/a/..\b`, encode, { fault: 'dot-segment' }],
    ['/a//b', apart, { path: '/a//b', otherReading: '/a/b' }],
    ['//a/..//b', apart, { path: '///b', otherReading: '/b' }],
  ])('%s', ([path, rules, expected]) => {
    expect(normalizePath(path, rules)).toEqual(expected);
  });
});
