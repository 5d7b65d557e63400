import { expect, test } from 'vitest';
import { hasStopped, newPulse } from '#gateway/pulse.ts';

const looks = (count: number, look: () => boolean): boolean[] => Array.from({ length: count }, look);

test('five looks without a beat are too many', () => {
  const pulse = newPulse();
  Atomics.add(pulse.beats, 0, 1);
  expect(hasStopped(pulse, 'listening')).toBe(false);
  expect(looks(5, () => hasStopped(pulse, 'listening'))).toEqual([false, false, false, false, true]);
});

test('a beat in between begins the count anew', () => {
  const pulse = newPulse();
  const missed = looks(4, () => hasStopped(pulse, 'listening'));
  Atomics.add(pulse.beats, 0, 7);
  expect([...missed, ...looks(5, () => hasStopped(pulse, 'listening'))]).not.toContain(true);
});

test('who starts has three times as long', () => {
  const pulse = newPulse();
  const found = looks(15, () => hasStopped(pulse, 'starting'));
  expect(found.indexOf(true)).toBe(14);
});
