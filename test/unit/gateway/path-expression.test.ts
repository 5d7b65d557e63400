import fc from 'fast-check';
import { RE2JS } from 're2js';
import { expect, test } from 'vitest';
import { literalStart, pathExpression } from '#gateway/path-expression.ts';

test('routes that have the same expression share it', () => {
  expect(pathExpression('/items/[0-9]+')).toBe(pathExpression('/items/[0-9]+'));
  expect(pathExpression('/items/[0-8]+')).not.toBe(pathExpression('/items/[0-9]+'));
});

test.for([
  ['/items/[0-9]+', '/items/'],
  ['/items/(parts|prices)', '/items/'],
  ['/v1\\.0/', '/v1.0/'],
  ['/a+', '/a'],
  ['/ab*', '/a'],
  ['/ab?', '/a'],
  ['/ab{0,2}', '/a'],
  ['/v1\\.?', '/v1'],
  ['/a|/b', ''],
  ['/a(b)|/c', ''],
  ['/a[|]', '/a'],
  ['/a\\|b', '/a'],
  ['/a[^\\]]|/b[c]', ''],
  ['/a[]|]', '/a'],
  ['(?i)/a', ''],
  ['/a\\Q|\\E', ''],
  ['/a(?i)b', ''],
  ['/a(?:b)', '/a'],
  ['/a.b', '/a'],
  ['', ''],
] as const)('%s begins with "%s"', ([source, start]) => {
  expect(literalStart(source)).toBe(start);
});

test('what an expression matches begins with its literal start', () => {
  const pieces = ['a', '/', 'b', '.', '\\.', '|', '(', ')', '(?:', '(?i)', '[', ']', '^', '$', '*', '+', '?', '{0}'];
  const source = fc.array(fc.constantFrom(...pieces, '\\|', '\\(', '\\[', '\\]', '[^', '\\Q', '\\E'), { maxLength: 9 });
  const path = fc.array(fc.constantFrom('a', 'b', '/', '.', '|', 'A'), { maxLength: 5 });
  let matched = 0;
  fc.assert(
    fc.property(source, path, (parts, elements) => {
      const text = elements.join('');
      const expression = compiled(parts.join(''));
      if (expression?.matcher(text).lookingAt() !== true) return;
      matched += 1;
      expect(text.startsWith(literalStart(parts.join('')))).toBe(true);
    }),
    { numRuns: 20_000 },
  );
  expect(matched).toBeGreaterThan(100);
});

function compiled(source: string): RE2JS | undefined {
  try {
    return RE2JS.compile(source);
  } catch {
    return undefined;
  }
}
