import { describe, expect, test } from 'vitest';
import { addAt } from '#translate/json-pointer.ts';

describe('a value is added', () => {
  test.for([
    ['to an object', {}, '/a', { a: 1 }],
    ['in place of another', { a: 0, b: 2 }, '/a', { a: 1, b: 2 }],
    ['with the parents that are missing', {}, '/a/b/c', { a: { b: { c: 1 } } }],
    ['under a parent that is null', { a: null }, '/a/b', { a: { b: 1 } }],
    ['before an item', { a: [2, 3] }, '/a/0', { a: [1, 2, 3] }],
    ['behind the last item', { a: [2, 3] }, '/a/2', { a: [2, 3, 1] }],
    ['at the end', { a: [2, 3] }, '/a/-', { a: [2, 3, 1] }],
    ['within an item', { a: [{ b: 0 }] }, '/a/0/b', { a: [{ b: 1 }] }],
    ['in place of everything', { a: 0 }, '', 1],
    ['under an empty name', {}, '/', { '': 1 }],
    ['under a name with a slash and a tilde', {}, '/a~1b~0c', { 'a/b~c': 1 }],
  ] as const)('%s', ([, target, pointer, expected]) => {
    const before = structuredClone(target);
    expect(addAt(target, pointer, 1)).toEqual({ value: expected });
    expect(target).toEqual(before);
  });

  test('under the name of a prototype, which stays as it is', () => {
    const added = addAt({}, '/__proto__/polluted', 1);
    expect(JSON.stringify(added)).toBe('{"value":{"__proto__":{"polluted":1}}}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('a value is not added', () => {
  test.for([
    ['without a leading slash', {}, 'a'],
    ['into text', { a: 'b' }, '/a/b'],
    ['beyond the end of a list', { a: [] }, '/a/1'],
    ['at a place that is no number', { a: [1] }, '/a/b'],
    ['at a place with leading zeros', { a: [1] }, '/a/00'],
  ] as const)('%s', ([, target, pointer]) => {
    expect(addAt(target, pointer, 1)).toHaveProperty('fault');
  });
});
