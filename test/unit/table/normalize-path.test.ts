import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalizePath } from '#table/normalize-path.ts';

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
