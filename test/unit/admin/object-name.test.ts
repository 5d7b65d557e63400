import { expect, test } from 'vitest';
import { objectName } from '#admin/object-name.ts';

const nobody = () => false;
/** RFC 1123 subdomain, as the API server checks it. */
const valid = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

test.for(['bob', 'b-o.b2', 'a', '0'])('the name %s stays', (wanted) => {
  expect(objectName(wanted, nobody)).toBe(wanted);
});

test.for(
  [
    'Bob',
    'bob smith',
    'a_b',
    'a..b',
    'a.-.b',
    'a-.-b',
    '.a.',
    '-a-',
    '../../etc/passwd',
    '🔑',
    '.',
    '---',
    'x'.repeat(300),
    `${'x'.repeat(199)}-y`,
    `${'x'.repeat(199)}.y`,
    'a\u0000b',
  ].map((wanted) => ({ wanted, title: JSON.stringify(wanted).slice(0, 20) })),
)('$title becomes a valid name', ({ wanted }) => {
  const name = objectName(wanted, nobody);
  expect(name).toMatch(valid);
  expect(name).toMatch(/[0-9a-f]{8}$/);
});

test('what differs stays different', () => {
  const wanted = ['a b', 'a_b', 'A b', 'a-b', 'a  b'];
  expect(new Set(wanted.map((text) => objectName(text, nobody))).size).toBe(wanted.length);
});

test('a name that is taken is not given again', () => {
  const taken = new Set<string>();
  for (let i = 0; i < 5; i += 1) {
    const name = objectName('bob', (candidate) => taken.has(candidate));
    expect(taken).not.toContain(name);
    expect(name).toMatch(valid);
    taken.add(name);
  }
});
