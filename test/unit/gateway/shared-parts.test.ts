import { expect, test } from 'vitest';
import { createSharedParts } from '#gateway/shared-parts.ts';

const chain = (key: string): readonly { readonly key: string }[] => [{ key }];

test('equal values are one, others are not', () => {
  const parts = createSharedParts();
  const first = parts.take(chain('a'));
  expect(parts.take(chain('a'))).toBe(first);
  expect(parts.take(chain('b'))).toEqual(chain('b'));
  expect(parts.take(undefined)).toBeUndefined();
});

test('a value is let go of with its last holder', () => {
  const parts = createSharedParts();
  const first = parts.take(chain('a'));
  parts.take(chain('a'));
  parts.release(chain('a'));
  expect(parts.take(chain('a'))).toBe(first);
  parts.release(first);
  parts.release(first);
  const second = chain('a');
  expect(parts.take(second)).toBe(second);
});
