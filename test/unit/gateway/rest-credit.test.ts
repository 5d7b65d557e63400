import { expect, test } from 'vitest';
import { createRestCredit, type RestCredit } from '#gateway/rest-credit.ts';

const options = { most: 10, eachRound: 2, lastingRounds: 4 };

/** The rounds of all that may rest now. */
function takeAll(credit: RestCredit): number[] {
  const taken: number[] = [];
  for (let round = credit.take(); round !== undefined; round = credit.take()) taken.push(round);
  return taken;
}

/** How many may rest in each of the next rounds, of which none lasts. */
const wasted = (credit: RestCredit, rounds: number): number[] =>
  Array.from({ length: rounds }, () => {
    credit.nextRound();
    const taken = takeAll(credit);
    for (const round of taken) credit.woke(round);
    return taken.length;
  });

test('many that come at once rest at once', () => {
  expect(takeAll(createRestCredit(options))).toHaveLength(10);
});

test('those that ask and ask get what the rounds give', () => {
  expect(wasted(createRestCredit(options), 9)).toEqual([10, 2, 2, 2, 2, 2, 2, 2, 2]);
});

test('a rest that has lasted gives its credit back, once', () => {
  const credit = createRestCredit(options);
  credit.nextRound();
  const [first, second, ...others] = takeAll(credit);
  credit.woke(first ?? 0);
  credit.woke(second ?? 0);
  expect(others).toHaveLength(8);
  expect(wasted(credit, 5)).toEqual([2, 2, 2, 10, 2]);
});

test('one that wakes after it has lasted takes nothing from others', () => {
  const credit = createRestCredit(options);
  credit.nextRound();
  const taken = takeAll(credit);
  for (let n = 0; n < options.lastingRounds; n += 1) credit.nextRound();
  const later = takeAll(credit);
  expect(later).toHaveLength(10);
  for (const round of taken) credit.woke(round);
  for (let n = 0; n < options.lastingRounds; n += 1) credit.nextRound();
  expect(takeAll(credit)).toHaveLength(10);
});

test('there is never more than the most', () => {
  const credit = createRestCredit(options);
  for (let n = 0; n < 100; n += 1) credit.nextRound();
  expect(takeAll(credit)).toHaveLength(10);
});
