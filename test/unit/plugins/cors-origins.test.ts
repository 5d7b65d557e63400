import fc from 'fast-check';
import { expect, test } from 'vitest';
import { originCheck, soleOrigin } from '#plugins/cors/origins.ts';

test.for([
  ['HTTPS://A.Example', 'https://a.example', true],
  ['https://a.example', 'https://a.example:443', true],
  ['https://a.example', 'http://a.example', false],
  ['https://a.example', 'null', false],
  ['a.example', 'https://a.example:8443', true],
  ['.*', 'null', false],
  ['null|https:.*', 'null', true],
] as const)('%s of the list, %s of the request: %s', ([item, origin, isAllowed]) => {
  expect(originCheck([item])(origin)).toBe(isAllowed);
});

test('an origin that is written out lets in no other', () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ minLength: 1, maxLength: 5 }), (before, after) => {
      const check = originCheck(['https://a.example', 'b.example']);
      expect(check(`https://a.example.${after}`)).toBe(false);
      expect(check(`${before}x.https://a.example`)).toBe(false);
    }),
  );
});

test('only an origin that is alone and written out is stated whoever asks', () => {
  expect(soleOrigin(['https://a.example'])).toBe('https://a.example');
  expect(soleOrigin(['https://.*'])).toBeUndefined();
  expect(soleOrigin(['https://a.example', 'https://b.example'])).toBeUndefined();
});
