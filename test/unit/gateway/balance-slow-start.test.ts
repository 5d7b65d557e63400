import { expect, test } from 'vitest';
import { slowStartShare } from '../../../src/gateway/balance-slow-start.ts';

test.for([
  [0, 0.1],
  [5_000, 0.55],
  [10_000, 1],
  [60_000, 1],
  [Infinity, 1],
] as const)('%d ms after it came a target has %d of its weight', ([sinceMs, expected]) => {
  expect(slowStartShare(sinceMs, 10_000)).toBeCloseTo(expected);
});
