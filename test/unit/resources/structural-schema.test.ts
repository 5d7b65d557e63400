import Type from 'typebox';
import { describe, expect, test } from 'vitest';
import { structural } from '#resources/structural-schema.ts';

const free = { 'x-kubernetes-preserve-unknown-fields': true };

describe('a structural schema', () => {
  test.for([
    ['a text', Type.String({ pattern: '^/', minLength: 1 }), { type: 'string', pattern: '^/', minLength: 1 }],
    ['a number', Type.Integer({ minimum: 1, default: 2 }), { type: 'integer', minimum: 1, default: 2 }],
    ['one of some texts', Type.Union([Type.Literal('a'), Type.Literal('b')]), { type: 'string', enum: ['a', 'b'] }],
    ['anything', Type.Unknown({ description: 'x' }), { description: 'x', ...free }],
    ['a map of anything', Type.Record(Type.String(), Type.Unknown()), { type: 'object', ...free }],
    [
      'a map of lists',
      Type.Record(Type.String(), Type.Array(Type.String())),
      { type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } },
    ],
    [
      'a set',
      Type.Array(Type.String(), { 'x-kubernetes-list-type': 'set' }),
      { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    ],
    ['an object without fields', Type.Object({}), { type: 'object' }],
    [
      'an object, which is not closed: what it does not name is pruned',
      Type.Object({ a: Type.String(), b: Type.Optional(Type.Boolean()) }, { additionalProperties: false }),
      { type: 'object', properties: { a: { type: 'string' }, b: { type: 'boolean' } }, required: ['a'] },
    ],
  ] as const)('of %s', ([, schema, expected]) => {
    expect(structural(schema)).toEqual(expected);
  });

  test('of another union is a bug, found when the CRDs are made', () => {
    expect(() => structural(Type.Union([Type.String(), Type.Null()]))).toThrow('no unions but those of texts');
  });
});
